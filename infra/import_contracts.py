"""A contract of import-linter's that it does not bring: a module is imported within its package alone."""

from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output
from importlinter.domain.helpers import module_expressions_to_modules


class Private(Contract):
    type_name = "private"
    modules = fields.ListField(subfield=fields.ModuleExpressionField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        expressions: Any = self.modules
        private = [module.name for module in module_expressions_to_modules(graph, expressions)]
        broken = [
            f"{importer} -> {module}"
            for module in sorted(private)
            for importer in sorted(graph.find_modules_that_directly_import(module))
            if not importer.startswith(f"{module.rpartition('.')[0]}.")
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for pair in check.metadata["broken"]:
            output.print_error(pair)
