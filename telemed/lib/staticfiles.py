from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):
    """Hashed names inside ``import`` statements too, so that native modules cache for ever."""

    support_js_module_import_aggregation = True
