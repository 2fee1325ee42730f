################################################################################
#
# crashmatrix
#
################################################################################

CRASHMATRIX_VERSION = 0.1.0
# The checkout that this external tree is in.
CRASHMATRIX_SITE = $(realpath $(BR2_EXTERNAL_CRASHMATRIX_PATH)/../../..)
CRASHMATRIX_SITE_METHOD = local
CRASHMATRIX_LICENSE = MIT
CRASHMATRIX_LICENSE_FILES = LICENSE
CRASHMATRIX_INSTALL_STAGING = YES
CRASHMATRIX_DEPENDENCIES = cjson host-pkgconf
# The recorder and the engine are for the machine of the developer.
CRASHMATRIX_CONF_OPTS = \
	-DCRASHMATRIX_RECORDER=OFF \
	-DCRASHMATRIX_HARNESS=OFF \
	-DCRASHMATRIX_WERROR=OFF \
	-DBUILD_TESTING=OFF

$(eval $(cmake-package))
