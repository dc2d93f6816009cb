"""People, places and visits to try Telemed with. Ids are fixed: seeding twice is seeding once."""
