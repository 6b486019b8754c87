-- Every sign-in asks whether the user came from this network before.
CREATE INDEX sessions_of_network ON sessions (user_id, client_net);
