# make BR2_EXTERNAL=.../ci/packaging/buildroot menuconfig
include $(sort $(wildcard $(BR2_EXTERNAL_CRASHMATRIX_PATH)/package/*/*.mk))
