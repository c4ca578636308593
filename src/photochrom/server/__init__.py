"""The REST server and the web studio (extra `[serve]`): `create_app` in `app`, bounds in `limits`."""
