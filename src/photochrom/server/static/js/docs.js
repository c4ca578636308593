// Starts Swagger UI on our OpenAPI description; a file of its own, because the policy allows no inline script.

// @ts-expect-error: the bundle defines it
window.ui = SwaggerUIBundle({ url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null });
