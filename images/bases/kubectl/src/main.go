// Command kubectl is upstream's, from the Go modules that Kubernetes publishes.
package main

import "waybill/kubectl"

func main() { kubectl.Main() }
