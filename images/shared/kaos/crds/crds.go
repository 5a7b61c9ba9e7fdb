// Package crds has the CustomResourceDefinitions as they are generated from package v1alpha1.
package crds

import "embed"

// Files are YAML documents, one a kind.
//
//go:embed *.yaml
var Files embed.FS
