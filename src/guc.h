/*
 * guc.h
 *		Every setting of the extension.
 */
#ifndef PGW_GUC_H
#define PGW_GUC_H

/* wasm.memory_limit, in kB: what the linear memory of one instance may grow to */
extern int	pgw_memory_limit;

extern void pgw_guc_init(void);

#endif							/* PGW_GUC_H */
