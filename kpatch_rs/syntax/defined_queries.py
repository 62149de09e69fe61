"""What counts as a definition, as tree-sitter queries.

A capture `@in.SCOPE` is a stretch that names belong to; `@KIND.SCOPE` is a definition, which
belongs to the innermost stretch of that name around it, or else to the file.
"""

from __future__ import annotations

C = """
(struct_specifier name: (_) body: (_) @in.struct)
(union_specifier name: (_) body: (_) @in.struct)
(field_declaration
  type: (_ body: (field_declaration_list) @in.struct) declarator: (_))
(declaration type: (_ body: (field_declaration_list) @in.struct))
(type_definition type: (_ body: (field_declaration_list) @in.struct))
(field_declaration declarator: (_) @member.struct)
(struct_specifier name: (_) @type.file body: (_))
(union_specifier name: (_) @type.file body: (_))
(enum_specifier name: (_) @type.file body: (_))
(type_definition declarator: (_) @typedef.file)
(enumerator name: (_) @enumerator.file)
(translation_unit (declaration) @declaration.block)
(compound_statement (declaration) @declaration.block)
(case_statement (declaration) @declaration.block)
(switch_statement body: (_) @in.switch)
(case_statement) @in.function
(case_statement value: (_) @case.switch)
(case_statement "default" @case.switch)
(labeled_statement label: (_) @label.body)
(compound_statement (expression_statement) @statement.function)
(compound_statement (return_statement) @statement.function)
(compound_statement [(if_statement) (for_statement) (while_statement) (do_statement)]
  @statement.function)
(case_statement (expression_statement) @statement.function)
(case_statement (return_statement) @statement.function)
(case_statement [(if_statement) (for_statement) (while_statement) (do_statement)]
  @statement.function)
(initializer_list) @in.list
(initializer_list (initializer_pair) @initializer.list)
(initializer_list [(initializer_list) (call_expression) (pointer_expression) (identifier)
  (string_literal) (compound_literal_expression)] @entry.list)
"""

DTS = """
(node) @in.node
(node) @in.braces
((node name: (identifier)) @node.node (#not-match? @node.node "^/"))
(node name: (reference)) @reference.node
(node label: (_) @label.file)
(property name: (_) @property.braces)
(property) @override.node
(preproc_def name: (_) @macro.file)
(preproc_include path: (_) @include.file)
"""

RUST = """
(declaration_list) @in.items
(field_declaration_list) @in.struct
(enum_variant_list) @in.struct
(field_initializer_list) @in.list
(match_block) @in.match
(function_item body: (_) @in.function)
(function_item body: (_) @in.items)
(function_item name: (_) @function.items)
(function_signature_item name: (_) @function.items)
(struct_item name: (_) @type.items)
(enum_item name: (_) @type.items)
(union_item name: (_) @type.items)
(trait_item name: (_) @type.items)
(type_item name: (_) @type.items)
(const_item name: (_) @constant.items)
(static_item name: (_) @constant.items)
(mod_item name: (_) @type.items)
(macro_definition name: (_) @macro.items)
(use_declaration argument: (_) @use.items)
(use_declaration argument: [(identifier) @import.items (scoped_identifier name: (_) @import.items)])
(use_list [(identifier) @import.items (scoped_identifier name: (_) @import.items)])
(use_as_clause alias: (_) @import.items)
(field_declaration name: (_) @member.struct)
(enum_variant name: (_) @variant.struct)
(field_initializer field: (_) @initializer.list)
(shorthand_field_initializer) @initializer.list
(match_arm pattern: (_) @arm.match)
(block (expression_statement) @statement.function)
(block (let_declaration) @statement.function)
(source_file (macro_invocation) @call.file)
"""

PYTHON = """
(class_definition body: (_) @in.body)
(function_definition body: (_) @in.body)
(function_definition body: (_) @in.function)
(module [(_ name: (_) @name.body) (decorated_definition definition: (_ name: (_) @name.body))
  (expression_statement (assignment left: (identifier) @name.body))])
(class_definition body: (block [(_ name: (_) @name.body)
  (decorated_definition definition: (_ name: (_) @name.body))
  (expression_statement (assignment left: (identifier) @name.body))]))
(import_statement) @use.body
(import_from_statement) @use.body
(dictionary) @in.dictionary
(dictionary (pair key: (_) @key.dictionary))
[(list) (tuple)] @in.list
(list [(list) (tuple) (string) (call)] @entry.list)
(tuple [(list) (tuple) (string) (call)] @entry.list)
(block (expression_statement) @statement.function)
"""

KCONFIG = """
(config) @in.entry
(menuconfig) @in.entry
(choice) @in.entry
(menu) @in.entry
(comment_entry) @in.entry
(if) @in.entry
(config name: (_) @symbol.file)
(menuconfig name: (_) @symbol.file)
(dependencies) @line.entry
(reverse_dependencies) @line.entry
(weak_reverse_dependencies) @line.entry
(default_value) @default.entry
(type_definition) @line.entry
(source) @line.file
"""

YAML = """
(block_mapping) @in.mapping
(flow_mapping) @in.mapping
(block_mapping_pair key: (_) @key.mapping)
(flow_pair key: (_) @key.mapping)
(block_sequence) @in.list
(block_sequence (block_sequence_item) @entry.list)
"""
