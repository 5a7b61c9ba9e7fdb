// Package kaos holds what the operator, the webhook and the chart say alike: the kinds and their CRDs. CONTRACT.md has the rest.
//
// controller-gen is in gen.mod, so that what it needs is nobody else's dependency.
package kaos

//go:generate go tool -modfile=gen.mod controller-gen object paths=./v1alpha1
//go:generate go tool -modfile=gen.mod controller-gen crd paths=./v1alpha1 output:crd:dir=crds
