SwaggerUIBundle({
  url: '/schema/openapi.json',
  dom_id: '#reference',
  docExpansion: 'none',
  filter: true,
  validatorUrl: null,
});
