package controller

//go:generate sh -c "cd ../../../../shared/kaos && go tool -modfile=gen.mod controller-gen rbac:roleName=kaos-operator paths=../../operator/src/internal/controller output:rbac:dir=../../operator/src"
