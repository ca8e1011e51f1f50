"""Language models: one that is always there, others over HTTP, and the budget they live on."""
