export * from "@waybill/format";
