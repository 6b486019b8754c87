DROP INDEX users_without_search_name;
