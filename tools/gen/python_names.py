"""The public names that Python's binding has, read from its sources without running them."""

import ast
import pathlib
import re

PACKAGE = "bindings/python/tendon"


class Package:
    """The classes of all modules by name, and what each module has."""

    def __init__(self, root):
        self.classes, self.modules = {}, {}
        folder = pathlib.Path(root) / PACKAGE
        paths = sorted(folder.rglob("*.py"), key=lambda path: path.name == "__init__.py")
        for path in paths:  # packages last: they import from their modules
            name = ".".join(path.relative_to(folder).with_suffix("").parts)
            name = re.sub(r"\.?__init__$", "", name)
            self.read(name, ast.parse(path.read_text()))

    def read(self, module, tree):
        names = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
                names |= self.modules.get(node.module.partition(".")[2], set())
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                names |= {alias.asname or alias.name for alias in node.names}
        for node in tree.body:
            names |= defined(node)
            if isinstance(node, ast.ClassDef):
                self.classes[module, node.name] = node
        self.modules[module] = names

    def members(self, node):
        """What a class has, also from the classes it is made of, found by their names alone."""
        found = set()
        for item in node.body:
            found |= defined(item)
        for item in ast.walk(node):  # self.name = ... in any method
            if isinstance(item, ast.Attribute) and isinstance(item.ctx, ast.Store):
                found.add(item.attr)
        for base in node.bases:
            name = base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
            for (_, known), other in self.classes.items():
                if known == name and other is not node:
                    found |= self.members(other)
        return found


def defined(node):
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    return {
        name.id for target in targets if target for name in ast.walk(target)
        if isinstance(name, ast.Name)
    }


def ours(root):
    """Names as mirror-python.txt has them: `get`, `lock.Lock.acquire`, `redis.lock:Lock`."""
    package = Package(root)
    found = set()
    by_name = {}
    for (_, name), node in package.classes.items():
        by_name.setdefault(name, []).append(package.members(node))
    for module, names in package.modules.items():
        where = f"redis.{module}" if module else "redis"
        found |= {f"{where}:{name}" for name in names}
        for name in names & by_name.keys():  # also where a class is only imported
            own = package.classes.get((module, name))
            known = [package.members(own)] if own else by_name[name]
            found |= {f"{module}.{name}.{member}" for members in known for member in members}
    for name in ("Redis", "RedisCluster"):
        found |= set().union(*by_name[name])
    return found
