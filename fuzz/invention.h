/*
 * Traces and models out of choices (choices.h): few nodes, short names, small files, so that
 * nearly every input is a trace that could have been recorded, under a model that could have
 * been written, and its states are few enough to be tried one by one.
 */
#ifndef CRASHMATRIX_FUZZ_INVENTION_H
#define CRASHMATRIX_FUZZ_INVENTION_H

#include "choices.h"
#include "model.h"

enum { INVENTED_CALLS = 12, INVENTED_RULES = 3 };

struct invention {
    struct ff_trace trace;
    struct ff_snapshot_node nodes[3];
    struct ff_snapshot_name names[2];
    struct ff_call calls[INVENTED_CALLS];
    struct cm_model model;
    struct cm_order_rule rules[INVENTED_RULES];
};

/* Takes choices until they are used up or there is no room for more. Needs not to be freed. */
void invent_trace(struct invention *invention, struct choices *choices);
void invent_model(struct invention *invention, struct choices *choices);

#endif
