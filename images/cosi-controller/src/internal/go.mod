module sigs.k8s.io/container-object-storage-interface/internal

go 1.24.2
