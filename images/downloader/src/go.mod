module waybill/downloader

go 1.26
