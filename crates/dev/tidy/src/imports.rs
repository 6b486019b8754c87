//! No two files import each other, directly or through others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit::Visit;
use syn::{ItemMod, ItemUse, UseTree};

use crate::{root, rust};

/// A module path inside a package, such as `["http", "rule"]` of `http/rule.rs`; empty for the root file.
type Module = Vec<String>;

fn module_of(file: &Path) -> Module {
    let parts = file.with_extension("");
    let mut path: Module = parts.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    if matches!(path.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        path.pop();
    }
    path
}

/// The paths in a file that begin with `crate` or `super`, except those in its tests.
#[derive(Default)]
struct Paths(BTreeSet<Vec<String>>);

impl Paths {
    fn add(&mut self, path: Vec<String>) {
        if path.first().is_some_and(|first| first == "crate" || first == "super") {
            self.0.insert(path);
        }
    }

    fn expand(&mut self, prefix: &[String], tree: &UseTree) {
        let with = |name: &syn::Ident| prefix.iter().cloned().chain([name.to_string()]).collect::<Vec<_>>();
        match tree {
            UseTree::Path(path) => self.expand(&with(&path.ident), &path.tree),
            UseTree::Name(name) => self.add(with(&name.ident)),
            UseTree::Rename(rename) => self.add(with(&rename.ident)),
            UseTree::Glob(_) => self.add(prefix.to_vec()),
            UseTree::Group(group) => group.items.iter().for_each(|item| self.expand(prefix, item)),
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.expand(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.add(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if item.ident != "tests" {
            syn::visit::visit_item_mod(self, item);
        }
    }
}

fn paths(text: &str) -> BTreeSet<Vec<String>> {
    let mut paths = Paths::default();
    paths.visit_file(&syn::parse_file(text).unwrap());
    paths.0
}

/// The file that a path used in `module` refers to: the one whose module path is the longest prefix of it. The root of
/// a package only re-exports names, so it is no target.
fn target(path: &[String], module: &Module, files: &BTreeMap<Module, PathBuf>) -> Option<PathBuf> {
    let ups = path.iter().take_while(|name| *name == "super").count();
    let (base, names) =
        if ups == 0 { (&[][..], &path[1..]) } else { (&module[..module.len().saturating_sub(ups)], &path[ups..]) };
    let whole: Module = base.iter().chain(names).cloned().collect();
    (1..=whole.len()).rev().find_map(|length| files.get(&whole[..length])).cloned()
}

type Edges = BTreeMap<PathBuf, BTreeSet<PathBuf>>;

fn find_circle(from: &PathBuf, edges: &Edges, way: &mut Vec<PathBuf>, done: &mut BTreeSet<PathBuf>) {
    if let Some(at) = way.iter().position(|file| file == from) {
        panic!("these files import each other: {:#?}", &way[at..]);
    }
    if !done.contains(from) {
        way.push(from.clone());
        for to in edges.get(from).into_iter().flatten() {
            find_circle(to, edges, way, done);
        }
        way.pop();
        done.insert(from.clone());
    }
}

#[test]
fn no_files_of_a_package_import_each_other() {
    let src_of = |path: &Path| path.ancestors().find(|folder| folder.ends_with("src")).map(Path::to_owned);
    let sources: Vec<_> = rust().into_iter().filter_map(|(path, text)| Some((src_of(&path)?, path, text))).collect();
    let mut packages: BTreeMap<&Path, BTreeMap<Module, PathBuf>> = BTreeMap::new();
    for (src, path, _) in &sources {
        packages.entry(src).or_default().insert(module_of(path.strip_prefix(src).unwrap()), path.clone());
    }
    let mut edges = Edges::new();
    for (src, path, text) in &sources {
        let (module, files) = (module_of(path.strip_prefix(src).unwrap()), &packages[src.as_path()]);
        let targets = paths(text).into_iter().filter_map(|used| target(&used, &module, files));
        edges.entry(path.clone()).or_default().extend(targets.filter(|to| to != path));
    }
    let gateway = root().join("services/gateway/src");
    let known = &edges[&gateway.join("routes/playlists/mod.rs")];
    assert!(known.contains(&gateway.join("http/context.rs")), "a known import is not seen");
    let mut done = BTreeSet::new();
    for from in edges.keys() {
        find_circle(from, &edges, &mut Vec::new(), &mut done);
    }
}

#[test]
fn use_trees_are_expanded() {
    let text =
        "use crate::a::{self, b::{C, d as e}}; fn f() { super::g::h() } // crate::no\nmod tests { use super::x; }";
    let found: Vec<String> = paths(text).into_iter().map(|path| path.join("::")).collect();
    assert_eq!(found, ["crate::a::b::C", "crate::a::b::d", "crate::a::self", "super::g::h"]);
}
