module waybill/mode

go 1.26.0
