module waybill/keypair

go 1.26.0
