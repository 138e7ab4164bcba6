"""What the names of a query mean: its tables and columns, found in what is served.

Every table becomes that of DuckDB, every `*` its columns, and every column of an answer has a name
of its own, so that what a column of the answer holds is known: what it held where it came from.
"""

from collections.abc import Mapping, Sequence

from sqlglot import exp

from zoolens.catalog.errors import nearest
from zoolens.catalog.output.answer import distinct
from zoolens.catalog.serve.adql.functions import OWN
from zoolens.catalog.serve.adql.parsing import refused
from zoolens.catalog.serve.adql.scopes import Scope, same
from zoolens.catalog.serve.adql.shapes import kind_of
from zoolens.catalog.store.dictionary import Column
from zoolens.catalog.store.published import Published

_DEFAULT = "zoolens"  # the schema of a table that is named without one
_SAME_UNIT = ("AVG", "MAX", "MIN", "SUM", "ABS", "CEILING", "FLOOR", "ROUND", "TRUNCATE")


class Names:
    """The names of one query; text: its own, tables: those served, by schema and name."""

    def __init__(self, text: str, tables: Sequence[Published]) -> None:
        self._text = text
        self._tables = {table.full.lower(): table for table in tables}
        self.used: set[str] = set()

    def resolve(
        self,
        query: exp.Expr,
        queries: Mapping[str, Sequence[Column]] | None = None,
        outer: Sequence[Scope] = (),
    ) -> list[Column]:
        """Replace the names of a query by DuckDB's; the columns of its answer.

        queries: those named by WITH; outer: what the queries around it have after FROM. Raises
        `AdqlError` for a name that is not there, or could be several.
        """
        known = dict(queries or {})
        if (named := query.args.get("with_")) is not None:
            for part in named.expressions:
                columns = self.resolve(part.this, known, outer)
                known[part.alias.lower()] = _renamed(columns, part.args.get("alias"))
        if isinstance(query, exp.Subquery):
            return self.resolve(query.this, known, outer)
        if isinstance(query, exp.SetOperation):
            return self._of_set(query, known, outer)
        return self._of_select(query, known, outer)

    def _of_set(
        self,
        query: exp.SetOperation,
        known: Mapping[str, Sequence[Column]],
        outer: Sequence[Scope],
    ) -> list[Column]:
        left = self.resolve(query.this, known, outer)
        right = self.resolve(query.expression, known, outer)
        if len(left) != len(right):
            name = type(query).__name__.upper()
            reason = f"{name} of {len(left)} columns and {len(right)}"
            raise refused(self._text, query.expression, reason)
        for side in ("this", "expression"):
            part = query.args[side]
            if any(part.args.get(name) for name in ("order", "limit", "offset")):
                query.set(side, exp.Subquery(this=part))
        return left

    def _of_select(
        self, query: exp.Expr, known: Mapping[str, Sequence[Column]], outer: Sequence[Scope]
    ) -> list[Column]:
        scope = Scope()
        joins = query.args.get("joins") or []
        if (first := query.args.get("from_")) is not None:
            self._add(scope, first.this, known, outer)
        for join in joins:
            before = {c.name.lower() for columns in scope.tables.values() for c in columns}
            added = self._add(scope, join.this, known, outer)
            if join.args.get("method") == "NATURAL":
                scope.merged |= before & {c.name.lower() for c in added}
            scope.merged |= {part.name.lower() for part in join.args.get("using") or []}
        scopes = [scope, *outer]
        aliases = {part.alias.lower() for part in query.expressions if part.alias}
        for name, part in query.args.items():
            if name in ("from_", "with_"):
                continue
            later = aliases if name in ("group", "having", "order") else set()
            conditions = [join.args.get("on") for join in joins] if name == "joins" else part
            for node in conditions if isinstance(conditions, list) else [conditions]:
                if isinstance(node, exp.Expr):
                    self._look_up(node, known, scopes, later)
        return self._selected(query, scope)

    def _add(
        self,
        scope: Scope,
        source: exp.Expr,
        known: Mapping[str, Sequence[Column]],
        outer: Sequence[Scope],
    ) -> Sequence[Column]:
        """Add what stands after FROM or JOIN; its columns."""
        schema = ""
        if isinstance(source, exp.Table):
            name, schema, columns = self._table(source, known)
        else:
            name, columns = source.alias, self.resolve(source, known, outer)
        columns = _renamed(columns, source.args.get("alias"))
        key = (name or f"({len(scope.tables)})").lower()
        if key in scope.tables:
            raise refused(self._text, source, f"{name} is there twice; give it another name: AS")
        scope.tables[key] = columns
        scope.schemas[key] = schema
        added = list(columns)
        for join in source.args.get("joins") or []:
            added += self._add(scope, join.this, known, outer)
            self._look_up_if(join.args.get("on"), known, [scope, *outer])
            scope.merged |= {part.name.lower() for part in join.args.get("using") or []}
        return added

    def _table(
        self, node: exp.Table, known: Mapping[str, Sequence[Column]]
    ) -> tuple[str, str, Sequence[Column]]:
        """The name that a table goes by in the query, its schema and columns."""
        name, schema = node.name, node.db
        if not schema and name.lower() in known:
            return node.alias or name, "", known[name.lower()]
        found = self._tables.get(f"{schema or _DEFAULT}.{name}".lower())
        if found is None:
            raise refused(self._text, node, f"no table {_full(schema, name)}; {self._near(name)}")
        self.used.add(found.full)
        place = found.place
        alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(name, quoted=True))
        node.replace(
            new := exp.Table(
                this=exp.to_identifier(place[1]), db=exp.to_identifier(place[0]), alias=alias
            )
        )
        new.set("joins", node.args.get("joins"))
        return new.alias, found.schema, found.columns

    def _near(self, name: str) -> str:
        short = {table.name.lower(): table.full for table in reversed(self._tables.values())}
        close = nearest(name.lower(), list(short))
        return "nearest: " + ", ".join(short[part] for part in close.split(", "))

    def _look_up_if(
        self,
        node: exp.Expr | None,
        known: Mapping[str, Sequence[Column]],
        scopes: Sequence[Scope],
    ) -> None:
        if node is not None:
            self._look_up(node, known, scopes, set())

    def _look_up(
        self,
        node: exp.Expr,
        known: Mapping[str, Sequence[Column]],
        scopes: Sequence[Scope],
        aliases: set[str],
    ) -> None:
        """Find the columns of an expression, and of the queries in it."""
        if isinstance(node, exp.Query):
            self.resolve(node, known, scopes)
        elif isinstance(node, exp.Column):
            if not isinstance(node.this, exp.Star):
                self._column(node, scopes, aliases)
        else:
            for part in list(node.iter_expressions()):
                self._look_up(part, known, scopes, aliases)

    def _column(self, node: exp.Column, scopes: Sequence[Scope], aliases: set[str]) -> None:
        name, table = node.name, node.table
        if not table and name.lower() in aliases:
            return
        for scope in scopes:
            if table and not self._here(scope, node):
                continue
            found = (
                [c for c in scope.tables[table.lower()] if same(c.name, name)]
                if table
                else scope.holding(name)
            )
            if len(found) > 1 and not table:
                with_it = [
                    t for t, cs in scope.tables.items() if any(same(c.name, name) for c in cs)
                ]
                reason = f"{name} could be of {' or '.join(with_it)}; write {with_it[0]}.{name}"
                raise refused(self._text, node, reason)
            if found:
                node.meta["column"] = found[0]
                node.set("db", None)
                return
        raise refused(self._text, node, self._absent(node, scopes))

    def _here(self, scope: Scope, node: exp.Column) -> bool:
        """Whether the table that a column names is one of a scope's."""
        key = node.table.lower()
        return key in scope.tables and node.db.lower() in ("", scope.schemas[key])

    def _absent(self, node: exp.Column, scopes: Sequence[Scope]) -> str:
        if node.table:
            columns = [
                c.name for s in scopes if self._here(s, node) for c in s.tables[node.table.lower()]
            ]
            if not columns:
                here = ", ".join(t for s in scopes for t in s.tables)
                return f"no table {_full(node.db, node.table)} after FROM; there: {here or 'none'}"
        else:
            columns = [c.name for s in scopes for cs in s.tables.values() for c in cs]
        if not columns:
            return f"no column {node.name}: there is nothing after FROM"
        known = nearest(node.name.lower(), list(dict.fromkeys(columns)))
        return f"no column {_full(node.table, node.name)}; nearest: {known}"

    def _selected(self, query: exp.Expr, scope: Scope) -> list[Column]:
        """Write out `*`, and give every column of the answer a name of its own."""
        parts: list[tuple[exp.Expr, Column]] = []
        for node in query.expressions:
            bare = node.this if isinstance(node, exp.Column) else node
            if isinstance(bare, exp.Star):
                parts += self._all(node, scope)
            else:
                whole = node.this if isinstance(node, exp.Alias) else node
                held = described(whole, f"col{len(parts) + 1}")
                parts.append((whole, held._replace(name=node.alias or held.name)))
        names = distinct([held.name for _, held in parts])
        query.set(
            "expressions",
            [
                exp.Alias(this=node, alias=exp.to_identifier(name, quoted=True))
                for (node, _), name in zip(parts, names, strict=True)
            ],
        )
        return [held._replace(name=name) for (_, held), name in zip(parts, names, strict=True)]

    def _all(self, node: exp.Expr, scope: Scope) -> list[tuple[exp.Expr, Column]]:
        only = node.table.lower() if isinstance(node, exp.Column) else None
        if only is not None and not self._here(scope, node):  # type: ignore[arg-type]
            raise refused(self._text, node, self._absent(node, [scope]))  # type: ignore[arg-type]
        if not scope.tables:
            raise refused(self._text, node, "there is nothing after FROM that * could stand for")
        found: list[tuple[exp.Expr, Column]] = []
        for table, held in scope.all(only):
            column = exp.column(held.name, None if table is None or "(" in table else table)
            column.meta["column"] = held
            found.append((column, held))
        return found


def described(node: exp.Expr, unnamed: str) -> Column:
    """What an expression gives: as its column has it, or little more than a name."""
    if isinstance(node, exp.Paren):
        return described(node.this, unnamed)
    if isinstance(node, exp.Column) and "column" in node.meta:
        held: Column = node.meta["column"]
        return held
    kind = kind_of(node) or ""
    if not isinstance(node, exp.Anonymous):
        return Column(unnamed, kind, "")
    if node.name.upper() in OWN:
        return OWN[node.name.upper()].column
    unit = ""
    if node.name.upper() in _SAME_UNIT and node.expressions:
        unit = described(node.expressions[0], unnamed).unit
    return Column(node.name.lower(), kind, "", unit)


def _renamed(columns: Sequence[Column], alias: exp.Expr | None) -> Sequence[Column]:
    """Columns by the names that an alias with a list gives them: `AS t (a, b)`."""
    names = [] if alias is None else alias.args.get("columns") or []
    new = [part.name for part in names] + [c.name for c in columns[len(names) :]]
    return [c._replace(name=name) for c, name in zip(columns, new, strict=False)]


def _full(schema: str, name: str) -> str:
    return f"{schema}.{name}" if schema else name
