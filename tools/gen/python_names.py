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
        for path in sorted(folder.rglob("*.py")):
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
    for module, names in package.modules.items():
        where = f"redis.{module}" if module else "redis"
        found |= {f"{where}:{name}" for name in names}
    for (module, name), node in package.classes.items():
        members = package.members(node)
        found |= {f"{module}.{name}.{member}" for member in members}
        if name in ("Redis", "RedisCluster"):
            found |= members
    return found
