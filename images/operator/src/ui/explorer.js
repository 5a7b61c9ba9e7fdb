// Shows the document of this server; nothing is sent to the cluster from here.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#explorer",
  supportedSubmitMethods: [],
  validatorUrl: null,
  defaultModelsExpandDepth: 3,
  defaultModelExpandDepth: 3,
});
