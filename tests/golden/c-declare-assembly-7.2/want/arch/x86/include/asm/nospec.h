/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_X86_NOSPEC_H_
#define _ASM_X86_NOSPEC_H_

#include <linux/static_key.h>

#ifdef __ASSEMBLER__

.macro CLEAR_CPU
	verw	x86_verw_sel(%rip)
.endm

#else /* __ASSEMBLER__ */

typedef u8 retpoline_thunk_t[32];

void srso_safe_ret(void);

#if IS_ENABLED(CONFIG_NOSPEC_RUST)
int rust_nospec_probe(struct rust_nospec_state *state, unsigned long flags,
		      const char *name);
#else
static inline int rust_nospec_probe(struct rust_nospec_state *state,
				    unsigned long flags, const char *name)
{
	return -EOPNOTSUPP;
}
#endif

#endif /* __ASSEMBLER__ */

#endif /* _ASM_X86_NOSPEC_H_ */
