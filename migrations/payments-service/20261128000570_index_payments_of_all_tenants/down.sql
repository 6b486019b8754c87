DROP INDEX payments_of_all_tenants;
