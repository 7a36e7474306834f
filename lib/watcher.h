/* What people see of a run while it goes and when it has ended: progress, notes, changes of a dry
   run, the table or the JSON lines of the result, and each run's error. */
#ifndef LAPSE_WATCHER_H
#define LAPSE_WATCHER_H

#include "cli.h"
#include "run.h"
#include "terminal.h"

struct watcher {
    struct cli *cli;
    struct progress_bar bar;
    bool dry_run;
    uint64_t changes;
};

/* The observer for run_invoke; `watcher` must outlive it. */
struct run_observer watcher_begin(struct watcher *watcher, struct cli *cli, bool dry_run);

/* Clears the progress bar. */
void watcher_end(struct watcher *watcher);

#endif
