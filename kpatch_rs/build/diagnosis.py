"""Compiler output in, its first real error and a known cure out.

The table says in our words what the messages of Kbuild, rustc, clang, bindgen and modpost mean for
Rust in C subsystems. Order matters: the first entry that matches anywhere in the output wins, so
that special cases stand before general ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SHOWN = 12
"""Lines of one error that are worth reading in a report."""

_READ = 64 * 1024
"""Characters around the first error that are looked at for a cause; a log may have ten million."""
_BEFORE = 4096
"""And those before it: make tells of a circular dependency and goes on."""

_FIRST = re.compile(
    r"(?m)(?:^|\s)(?:fatal )?error(?:\[E\d+\])?:|^ERROR: |panicked at|: \*\*\* (?!\[)|"
    r"No rule to make target|multiple definition of|undefined reference to|duplicate symbol|"
    r": (?:command )?not found$"
)
_MAKE_CHAIN = re.compile(r"^g?make(?:\[\d+\])?: \*\*\* \[.*\] Error \d+$|^g?make.*directory '")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What lies behind an error message."""

    cause: str
    cure: str


_TABLE: tuple[tuple[str, str, str], ...] = (
    (
        r"No space left on device",
        "the disk is full",
        "make room where the build folders are, then check again",
    ),
    (
        r"(?:g|lib)elf\.h'?(?: file not found|: No such file)",
        "the kernel's objtool needs libelf",
        "apt install libelf-dev",
    ),
    (
        r"openssl/\w+\.h'?(?: file not found|: No such file)",
        "the kernel's own scripts need OpenSSL",
        "apt install libssl-dev",
    ),
    (
        r"cannot find value `__LOG_PREFIX`",
        "pr_*!() wants the log prefix that module!() defines, and this crate has no module!()",
        'add to the Rust file: const __LOG_PREFIX: &[u8] = b"NAME\\0"; with the NUL, without ": "',
    ),
    (
        r"error\[E0635\]: unknown feature",
        "Kbuild allows a feature that rustc knows only once a crate that has it is used",
        "add `use kernel::prelude::*;` to the Rust file; if it is there, rustc is not the one "
        "scripts/min-tool-version.sh asks for",
    ),
    (
        r"error\[E0725\]: the feature `\w+` is not in the list of allowed features",
        "the file asks for a feature that rust_allowed_features in scripts/Makefile.build has not",
        "remove the #![feature(…)] line",
    ),
    (
        r"cannot find attribute `export` in this scope",
        "#[export] came with 6.15; this kernel is older",
        'write #[no_mangle] here: a rust-file edit of its own with when = { max = "6.14" }',
    ),
    (
        r"cannot find (?:value|function) `\w+` in crate `(?:::kernel::)?bindings`",
        "bindgen did not see the C declaration",
        "include its header in rust/bindings/bindings_helper.h, below #if IS_ENABLED(CONFIG_…)",
    ),
    (
        r"`if` and `else` have incompatible types[\s\S]{0,2000}?expected fn item",
        "#[export] found that the C prototype and the Rust signature differ",
        "make them equal: char is u8, long is isize, size_t is usize, int is c_int",
    ),
    (
        r"expected unsafe fn, found safe fn",
        "this rustc wants a function under #[export] to be unsafe",
        'write `pub unsafe extern "C" fn` and say under `# Safety` when it may be called',
    ),
    (
        r"error: unsafe attribute used without unsafe",
        "edition 2024 wants the attribute marked",
        "write #[unsafe(no_mangle)]",
    ),
    (
        r"invalid character '.' in crate name",
        "the file's stem becomes the crate's name, and that character cannot stand in one",
        "rename the file: letters, digits and _ only",
    ),
    (
        r"`--crate-name` and `#\[crate_name\]` are required to match",
        "Kbuild names the crate after the file, and #![crate_name] says otherwise",
        "remove #![crate_name] for this kernel",
    ),
    (
        r"cannot find type `c_\w+` in this scope",
        "the prelude gives the C types only on newer kernels",
        "use kernel::ffi::c_int and its kin (before 6.13: where the tree has no kernel::ffi, "
        "core::ffi)",
    ),
    (
        r"cannot find type `\w+` in crate `bindings`",
        "bindgen did not see the C type",
        "include its header in rust/bindings/bindings_helper.h; a forward `struct foo;` is enough "
        "for pointers",
    ),
    (
        r"can't find crate for `core`",
        "the kernel's own core crate is not built in this folder",
        "`kpatch-rs doctor` says whether rust-src is there",
    ),
    (
        r"can't find crate for `(?:kernel|bindings|macros|ffi|pin_init|zerocopy\w*)`",
        "CONFIG_RUST is off in this configuration",
        "put CONFIG_RUST=y and what it depends on into the series' fragment",
    ),
    (
        r"error\[E0(?:433|432|463)\]: .*`alloc`",
        "the kernel has no alloc crate any more",
        "use kernel::alloc: KVec, KBox",
    ),
    (
        r"cannot find macro `e?print(?:ln)?`|module or crate `std`|unlinked crate `std`",
        "std is not there in the kernel",
        "use pr_info!(), core:: and kernel::",
    ),
    (
        r"error\[E0107\]: .* takes 2 generic arguments but 1",
        "Box and Vec of the prelude are the kernel's, with an allocator",
        "use KBox and KVec",
    ),
    (
        r"error\[E0514\]: found crate",
        "rustc changed since the folder was prepared",
        "check again with --fresh; if it stays, remove the build folder named above",
    ),
    (
        r"error\[E0460\]: found possibly newer version",
        "parts of rust/ are stale in the build folder",
        "remove the build folder named above and check again",
    ),
    (
        r"target file .*target\.json.* does not exist",
        "the folder was configured without CONFIG_RUST",
        "put CONFIG_RUST=y into the series' fragment",
    ),
    (
        r"custom targets are unstable|target-pointer-width: invalid type",
        "this rustc is newer than the kernel knows",
        "use an older rustc (RUSTUP_TOOLCHAIN=…), or a stable release of the kernel with the fix",
    ),
    (
        r"error\[E0432\]: unresolved import `kernel::|error\[E0599\]: no method named",
        "the kernel's Rust API differs between versions",
        "look the item up below rust/kernel/ and give this kernel a variant of the file, by `when`",
    ),
    (
        r"error\[E0583\]: file not found for module",
        "a `mod` names a file the series does not bring",
        "add a rust-file edit for it",
    ),
    (
        r"error\[E0133\]: .*is unsafe and requires unsafe",
        "an unsafe operation stands outside an unsafe block",
        "wrap it in unsafe { } with a // SAFETY: comment",
    ),
    (
        r"Found argument '--blacklist-type'|is not a valid Ident",
        "this kernel's Rust support works with one old bindgen only",
        "install the very version scripts/min-tool-version.sh names",
    ),
    (
        r"Unable to find libclang|failure to locate libclang",
        "bindgen does not find libclang",
        "apt install libclang-dev, or set LIBCLANG_PATH to the folder of libclang.so",
    ),
    (
        r"Unable to generate bindings: .*file not found",
        "a header that bindings_helper.h includes is not on bindgen's include path",
        "write #include <../../path/from/include/linux/foo.h>",
    ),
    (
        r"call to undeclared function|implicit declaration of function",
        "the caller sees no prototype",
        "add a c-declare edit, or a c-include edit for the header that has it, in an earlier step",
    ),
    (
        r"fatal error: '?[\w./-]+\.h'?(?: file not found|: No such file)",
        "a header is included that this tree does not have",
        "order the step that brings it before this one, or guard the include by `when`",
    ),
    (
        r"error: conflicting types for",
        "two prototypes of one function differ",
        "remove one of them",
    ),
    (
        r"error: redefinition of ",
        "the stub and the real function are both seen",
        "put the function under the same CONFIG as its prototype",
    ),
    (
        r"(?:duplicate symbol: |multiple definition of [`'])(?:init_module|cleanup_module)",
        "module!() stands in a file that is linked into a C module",
        "remove module!(); let the C init function call into Rust",
    ),
    (
        r"duplicate symbol: |multiple definition of ",
        "two objects define the same symbol; two .rs files of one name in one link do that, too",
        "give the file a name of its own, and its symbols a prefix",
    ),
    (
        r"undefined symbol: (?:__rust_\w*alloc|__rustc::)",
        "code of Rust's own alloc crate is linked in",
        "use kernel::alloc",
    ),
    (
        r"undefined (?:symbol: |reference to [`'])",
        "a called function is not linked: no Kbuild line, no #[no_mangle], or no stub",
        "see that the object is listed under the same CONFIG as its callers",
    ),
    (
        r"unwanted occurrences of EXPORT_SYMBOL",
        "this kernel's KVM allows only its own export macro",
        "use EXPORT_SYMBOL_FOR_KVM_INTERNAL()",
    ),
    (
        r"missing MODULE_LICENSE\(\)",
        "a Rust object without module!() became a module of its own",
        "link it into a composite: name `module` in the kbuild edit",
    ),
    (
        r"Circular \S+ <- \S+ dependency dropped",
        "a composite lists an object of its own name",
        "rename the source file",
    ),
    (
        r"No rule to make target '[^']+\.(?:o|mod)'",
        "the file is not there, or its folder is not built in this configuration",
        "see that the fragment turns on the Kconfig symbol the folder hangs on",
    ),
)


def diagnose(output: str) -> Diagnosis | None:
    """What is known about the errors in `output`; None where nothing is."""
    first = _FIRST.search(output)
    start = max(0, first.start() - _BEFORE if first else len(output) - _READ)
    read = output[start : start + _READ]
    return next((Diagnosis(cause, cure) for p, cause, cure in _TABLE if re.search(p, read)), None)


def first_errors(output: str) -> tuple[str, ...]:
    """The first error with the lines that explain it, without make's chain of `Error 2`.

    Where nothing looks like an error the last lines stand for it.
    """
    lines = [line.rstrip() for line in output.splitlines()]
    lines = [line for line in lines if line and not _MAKE_CHAIN.search(line)]
    starts = (n for n, line in enumerate(lines) if _FIRST.search(line))
    first = next(starts, max(0, len(lines) - SHOWN))
    return tuple(lines[first : first + SHOWN])
