/* The extended attributes that a trace holds; see ff_xattr_is_modelled() in tree.h. */
#ifndef SHIM_XATTR_NAMES_H
#define SHIM_XATTR_NAMES_H

#define XATTR_ACL        "system.posix_acl_access"
#define XATTR_CAPABILITY "security.capability"

#define XATTR_MODELLED_NAMES    XATTR_ACL, "system.posix_acl_default", XATTR_CAPABILITY
#define XATTR_MODELLED_PREFIXES "user.", "trusted."
/* Among these, what a file system made of layers keeps for itself. */
#define XATTR_HIDDEN_PREFIX "trusted.overlay."

#endif
