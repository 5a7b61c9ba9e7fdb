// Package kubectl is kubectl as a function: of a program that is nothing else, and of one that is also something else under another
// name and shares most libraries with it.
package kubectl

import (
	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
)

// Main runs kubectl on the program's arguments and exits with its code.
func Main() {
	if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err)
	}
}
