"""Whole sets of recipes, to start a series from.

What a template cannot know it asks for: a file or a function that is only likely is not put in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from kpatch_rs.errors import Usage
from kpatch_rs.kinds.c_call import CCallEdit
from kpatch_rs.kinds.c_declare import CDeclareEdit
from kpatch_rs.kinds.kbuild import KbuildEdit
from kpatch_rs.kinds.kconfig import KconfigEdit
from kpatch_rs.kinds.maintainers import MaintainersEdit
from kpatch_rs.kinds.rust_analyzer import RustAnalyzerEdit
from kpatch_rs.kinds.rust_file import RustFileEdit
from kpatch_rs.model.path import repo_path
from kpatch_rs.model.series import Edit, Payload, Recipe, Where

_Stated = tuple[str, str, Edit]
"""Subject without prefix, body, edit."""
_HERE = Where("template")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

C_MODULE_NEEDS = {
    "module": "the C module, without .o: kvm",
    "file": "the Makefile or Kbuild that lists its objects: arch/x86/kvm/Makefile",
    "in": "the C file that shall call Rust: arch/x86/kvm/x86.c",
    "function": "the function in it that shall: kvm_x86_init",
    "after": "the Kconfig symbol the new one depends on and stands after: KVM",
    "entry": "the MAINTAINERS entry that covers the Rust file",
}
C_MODULE_TAKES = {
    "name": "the Rust file without .rs, and the start of its function's name: rust_MODULE",
    "config": "the new Kconfig symbol: MODULE_RUST",
    "kconfig": "the Kconfig file: the one beside `file`",
    "header": "where C declares the Rust function: the file `in`",
    "prefix": "the start of every subject: MODULE",
}

_RUST_SOURCE = """\
// SPDX-License-Identifier: GPL-2.0

//! Rust part of the {module} module.

use kernel::prelude::*;

// `module!` would define it; in a C module it is ours. It is passed to `_printk()` as "%s".
const __LOG_PREFIX: &[u8] = b"{module}\\0";

/// Called by `{function}()`.
#[no_mangle]
pub extern "C" fn {name}_init() {{
    pr_info!("Rust is linked in\\n");
}}
"""

_HELP = """\
Link code written in Rust into the {module} module and call it when
the module is initialised. Say what it does for the one who reads
this, in four lines or more: checkpatch asks for them.

If unsure, say N.
"""


@dataclass(frozen=True, slots=True)
class _CModule:
    """The values of the template, complete."""

    module: str
    makefile: str
    c_file: str
    function: str
    after: str
    entry: str
    name: str
    config: str
    kconfig: str
    header: str
    prefix: str

    @property
    def folder(self) -> str:
        return self.makefile.rpartition("/")[0]

    @property
    def rust_path(self) -> str:
        return f"{self.folder}/{self.name}.rs"


def c_module(values: Mapping[str, str]) -> list[Recipe]:
    """Rust in a C module: the file, its symbol, its build, its declaration, its call.

    Each recipe builds on the ones before it, so that every commit compiles. Raises Usage.
    """
    wanted = _complete(values)
    return [_recipe(wanted.prefix, *rest) for rest in _recipes(wanted)]


def _complete(values: Mapping[str, str]) -> _CModule:
    known = C_MODULE_NEEDS | C_MODULE_TAKES
    for key in values:
        if key not in known:
            raise Usage(f"c-module has no '{key}'", hint=f"it has: {', '.join(known)}")
    missing = {key: what for key, what in C_MODULE_NEEDS.items() if not values.get(key)}
    if missing:
        raise Usage(
            f"c-module needs {', '.join(missing)} too",
            hint="; ".join(f"--set {key}=… ({what})" for key, what in missing.items()),
        )
    module = values["module"]
    folder = values["file"].rpartition("/")[0]
    name = values.get("name", f"rust_{module.replace('-', '_')}")
    if not _IDENTIFIER.fullmatch(name):
        raise Usage(
            f"'{name}' cannot be the name of a Rust crate",
            hint="letters, digits and '_': --set name=…",
        )
    return _CModule(
        module=module,
        makefile=values["file"],
        c_file=values["in"],
        function=values["function"],
        after=values["after"].removeprefix("CONFIG_"),
        entry=values["entry"],
        name=name,
        config=values.get("config", f"{module.upper().replace('-', '_')}_RUST"),
        kconfig=values.get("kconfig", f"{folder}/Kconfig"),
        header=values.get("header", values["in"]),
        prefix=values.get("prefix", module),
    )


def _recipe(prefix: str, subject: str, body: str, edit: Edit) -> Recipe:
    return Recipe(
        where=_HERE, id=edit.kind, subject=f"{prefix}: {subject}", body=f"{body}\n", edits=(edit,)
    )


def _recipes(it: _CModule) -> list[_Stated]:
    return [*_rust_side(it), *_c_side(it), *_upkeep(it)]


def _rust_side(it: _CModule) -> list[_Stated]:
    source = _RUST_SOURCE.format(module=it.module, function=it.function, name=it.name)
    return [
        (
            "Add a Rust file",
            f"Add {it.name}_init() for the {it.module} module to call. Nothing builds it yet.",
            RustFileEdit(
                where=_HERE,
                path=repo_path(it.rust_path),
                source=Payload(f"files/{it.name}.rs", source.encode()),
            ),
        ),
        (
            "Add a Kconfig symbol for the Rust code",
            "It is a bool: the object becomes a part of the module.",
            KconfigEdit(
                where=_HERE,
                file=repo_path(it.kconfig),
                symbol=it.config,
                prompt=f"Rust code in the {it.module} module",
                depends=(f"{it.after} && RUST",),
                help=_HELP.format(module=it.module),
                after=it.after,
            ),
        ),
        (
            "Build the Rust code into the module",
            "Add the Rust object to the objects the module is linked from.",
            KbuildEdit(
                where=_HERE,
                file=repo_path(it.makefile),
                object=f"{it.name}.o",
                module=it.module,
                config=it.config,
            ),
        ),
    ]


def _c_side(it: _CModule) -> list[_Stated]:
    return [
        (
            "Declare the Rust function for C",
            f"Declare {it.name}_init(), with an empty stub for kernels built without it.",
            CDeclareEdit(
                where=_HERE,
                file=repo_path(it.header),
                prototype=f"void {it.name}_init(void);",
                config=it.config,
            ),
        ),
        (
            "Call the Rust function",
            f"Call {it.name}_init() in {it.function}().",
            CCallEdit(
                where=_HERE,
                file=repo_path(it.c_file),
                function=it.function,
                statement=f"{it.name}_init();",
                at="before-last-return",
            ),
        ),
    ]


def _upkeep(it: _CModule) -> list[_Stated]:
    return [
        (
            "Let rust-analyzer see the Rust code",
            "Make `make rust-analyzer` list the crate.",
            RustAnalyzerEdit(where=_HERE, folder=repo_path(it.folder)),
        ),
        (
            "Name the Rust file in MAINTAINERS",
            f"The entry {it.entry} covers it.",
            MaintainersEdit(where=_HERE, entry=it.entry, files=(it.rust_path,)),
        ),
    ]


TEMPLATES = {"c-module": c_module}
