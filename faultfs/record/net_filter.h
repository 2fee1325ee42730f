/* The seccomp filter of the net. */
#ifndef RECORD_NET_FILTER_H
#define RECORD_NET_FILTER_H

/*
 * Installs the filter in this process and all that it will start. Returns the
 * descriptor of its listener, or -1 with errno. Without the privilege to do so it
 * gives up the gain of any (PR_SET_NO_NEW_PRIVS), and with it set-user-id programs.
 */
int net_filter_install(void);

#endif
