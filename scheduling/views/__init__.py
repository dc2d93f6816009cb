"""The pages of booking, server-rendered; each works without JavaScript."""
