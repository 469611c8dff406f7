#!/usr/bin/env node
'use strict';
/**
 * Writes spec/surface/mirror-node.txt: every public name of the installed ioredis, read from its
 * own declarations by the TypeScript compiler. Run it after `npm install` of a new version.
 */

const fs = require('node:fs');
const path = require('node:path');
const ts = require('typescript');

const entry = path.join(path.dirname(require.resolve('ioredis')), 'index.d.ts');
const { version } = require('ioredis/package.json');
const target = path.join(__dirname, '../../../spec/surface/mirror-node.txt');
const CLASSES = ['Redis', 'Cluster', 'Pipeline'];

const program = ts.createProgram([entry], { strict: true });
const checker = program.getTypeChecker();

const isHidden = (symbol) =>
  (symbol.declarations || []).every(
    (each) =>
      ts.getCombinedModifierFlags(each) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected),
  );

/* What EventEmitter and Object give is Node's. */
const isOwn = (symbol) =>
  (symbol.declarations || []).some((each) => each.getSourceFile().fileName.includes('/ioredis/'));

function membersOf(type) {
  return checker
    .getPropertiesOfType(type)
    .filter((symbol) => isOwn(symbol) && !isHidden(symbol))
    .map((symbol) => symbol.getName())
    .filter((name) => !name.startsWith('_'));
}

const names = new Set();
const moduleSymbol = checker.getSymbolAtLocation(program.getSourceFile(entry));
for (const symbol of checker.getExportsOfModule(moduleSymbol)) {
  const name = symbol.getName();
  const real = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const isValue = Boolean(real.flags & ts.SymbolFlags.Value);
  names.add(isValue ? `module.${name}` : `type.${name}`);
  if (!CLASSES.includes(name)) continue;
  for (const member of membersOf(checker.getDeclaredTypeOfSymbol(real)))
    names.add(`${name}.${member}`);
}
const head =
  `# Every public name of ioredis ${version}: exports of the module, types, members of classes.\n` +
  '# Written by bindings/node/tools/mirror.js; do not edit.\n';
fs.writeFileSync(target, `${head}${[...names].sort().join('\n')}\n`);
console.log(`${names.size} names in ${path.relative(process.cwd(), target)}`);
