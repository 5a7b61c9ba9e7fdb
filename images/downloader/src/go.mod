module waybill/downloader

go 1.26.0

require waybill/mode v0.0.0

replace waybill/mode => ../../shared/mode
