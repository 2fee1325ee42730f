/* The texts of --help, of the program and of each subcommand. */
#ifndef MANIFEST_HELP_H
#define MANIFEST_HELP_H

extern const char general_help[];
extern const char init_help[];
extern const char commit_help[];
extern const char show_help[];
extern const char verify_help[];
extern const char versions_help[];
extern const char diff_help[];
extern const char orphans_help[];
extern const char gc_help[];
extern const char backup_help[];
extern const char restore_help[];
extern const char recover_help[];

#endif
