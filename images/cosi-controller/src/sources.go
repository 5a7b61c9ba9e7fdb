//go:build never

// Package sources keeps modules in go.mod whose source the build reads (Dockerfile), though no package is imported from them.
package sources

import _ "sigs.k8s.io/container-object-storage-interface-api/controller"
