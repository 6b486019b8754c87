DROP INDEX payments_by_activation;
