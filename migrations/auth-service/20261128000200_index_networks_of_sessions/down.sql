DROP INDEX sessions_of_network;
