# How this project installs packages, wherever it is done.

# Of their settings, pip, uv, npm and Python inherit those that say how packages are reached: a mirror, its certificates, a
# cache. All others are meant for other work, and harm here: with UV_SYSTEM_PYTHON=1, as CI images have it, uv would replace
# packages of the machine's own Python.
REACHING := \
	PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_FIND_LINKS PIP_NO_INDEX PIP_TRUSTED_HOST PIP_CERT PIP_CLIENT_CERT PIP_PROXY \
	PIP_KEYRING_PROVIDER PIP_CONFIG_FILE PIP_CACHE_DIR PIP_NO_CACHE_DIR PIP_RETRIES PIP_TIMEOUT PIP_DEFAULT_TIMEOUT \
	PIP_USE_FEATURE PIP_USE_DEPRECATED \
	UV_DEFAULT_INDEX UV_INDEX% UV_EXTRA_INDEX_URL UV_FIND_LINKS UV_NO_INDEX UV_INSECURE_HOST UV_SYSTEM_CERTS \
	UV_NATIVE_TLS UV_KEYRING_PROVIDER UV_CREDENTIALS_DIR UV_CONFIG_FILE UV_CACHE_DIR UV_NO_CACHE UV_OFFLINE UV_HTTP_% \
	UV_LINK_MODE UV_PYTHON_INSTALL_MIRROR UV_PYTHON_DOWNLOADS_JSON_URL \
	$(foreach it,registry //% @% ca cafile strict_ssl proxy https_proxy noproxy userconfig cache,npm_config_$(it)) \
	$(foreach it,REGISTRY CA CAFILE STRICT_SSL PROXY HTTPS_PROXY NOPROXY USERCONFIG CACHE,NPM_CONFIG_$(it))
unexport $(filter-out PYTHON $(REACHING),$(filter PIP_% UV_% npm_config_% NPM_CONFIG_% NODE_ENV NODE_PATH PYTHON% \
	VIRTUAL_ENV% CONDA_%,$(.VARIABLES)))

# As variables, not options: an old pip ignores those that it does not know. The user's files may say the last two.
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
export PIP_REQUIRE_VIRTUALENV := 0
export PIP_USER := 0

# A virtual environment may have no pip; the Python that it was made of may have one.
define PIP
python="$(PYTHON)"; has_pip() { "$$python" -m pip --version >/dev/null 2>&1; }; \
has_pip || python=$$("$$python" -c "import sys; print(sys._base_executable)" 2>/dev/null || true); \
has_pip || { \
	echo "error: $(PYTHON) has no pip, which installs the packages. Install it (python3 -m ensurepip, or the package" \
		"python3-pip), or name another Python, as in PYTHON=python3.12" >&2; \
	exit 1; \
}; \
"$$python" -m pip
endef
