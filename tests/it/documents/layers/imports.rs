//! Finds the imports between source files.
//!
//! An arrow leads from a file to each file that defines an item it names, in a `use` declaration or
//! in a path such as `crate::error::Error` in its code. Re-exports are followed: an arrow leads to
//! the definition and not to the `pub use` on the way. Two things are no arrows: `mod x;`, and the
//! re-export of an item from a module further down (`pub use self::x::Item`).
//!
//! Unit tests are left out, and method calls are not followed: a call such as `hub.turn()` names no
//! path.

use std::collections::{BTreeMap, BTreeSet};
use syn::parse::ParseStream;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, Path, UseTree, Visibility, token};

/// The arrows between files, each with a path that makes it.
pub(super) type Arrows = BTreeMap<(String, String), String>;

/// Steps from import to import after which a name is given up.
const DEPTH_MAX: usize = 16;

/// Returns the arrows between files, given as pairs of path below `src/` and text.
pub(super) fn arrows(files: &[(String, String)]) -> Arrows {
    let mut sources = Sources::default();
    for (file, text) in files.iter().filter(|(file, _)| !is_test(file)) {
        let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let mut reader = Reader {
            sources: &mut sources,
            file,
            module: module_of(file),
        };
        reader.open();
        reader.visit_file(&parsed);
    }
    sources.arrows()
}

/// True for `tests.rs` and all that is in a folder `tests`.
fn is_test(file: &str) -> bool {
    file.split('/')
        .any(|part| matches!(part, "tests" | "tests.rs"))
}

/// Returns the module of a file: its names from the crate's root downwards.
fn module_of(file: &str) -> Vec<String> {
    let stem = file.trim_end_matches(".rs").trim_end_matches("/mod");
    match stem {
        "lib" => Vec::new(),
        stem => stem.split('/').map(str::to_owned).collect(),
    }
}

/// A module: the file it is in, and the names in its scope.
#[derive(Default)]
struct Module {
    file: String,
    /// The names of its items.
    items: BTreeSet<String>,
    /// The names it imports, with their paths.
    imports: Vec<(String, Vec<String>)>,
    /// The modules it imports everything from.
    globs: Vec<Vec<String>>,
    /// Every path it names.
    paths: Vec<Named>,
}

/// A path in a module.
struct Named {
    path: Vec<String>,
    place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// `use x`.
    Import,
    /// `pub use x`, with any visibility.
    Export,
    /// In an expression, a type or a pattern.
    Code,
}

/// The definition that a path leads to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Module(Vec<String>),
    /// An item of this module.
    Item(Vec<String>),
}

/// All modules of a crate.
#[derive(Default)]
struct Sources(BTreeMap<Vec<String>, Module>);

impl Sources {
    fn arrows(&self) -> Arrows {
        let mut arrows = Arrows::new();
        for (at, module) in &self.0 {
            for named in &module.paths {
                for target in self.resolve(at, &named.path, 0) {
                    let Some(to) = leads_to(at, named.place, target) else {
                        continue;
                    };
                    let to = &self.0[&to].file;
                    if *to != module.file {
                        let arrow = (module.file.clone(), to.clone());
                        arrows.entry(arrow).or_insert(named.path.join("::"));
                    }
                }
            }
        }
        arrows
    }

    /// Finds what a path in a module leads to: nothing if it leads to another crate.
    fn resolve(&self, module: &[String], path: &[String], depth: usize) -> BTreeSet<Target> {
        if depth > DEPTH_MAX {
            return BTreeSet::new();
        }
        let mut at = module.to_vec();
        let mut rest = path;
        while let [first, more @ ..] = rest {
            match &**first {
                "crate" => at.clear(),
                "self" => {}
                "super" => drop(at.pop()),
                _ => break,
            }
            rest = more;
        }
        let mut targets = BTreeSet::from([Target::Module(at)]);
        for name in rest {
            targets = targets
                .into_iter()
                .flat_map(|target| match target {
                    Target::Module(at) => self.look_up(&at, name, depth),
                    // A variant, or an associated item.
                    item @ Target::Item(_) => BTreeSet::from([item]),
                })
                .collect();
        }
        targets
    }

    /// Finds a name in a module: a type, a function and a module can share it.
    fn look_up(&self, at: &[String], name: &String, depth: usize) -> BTreeSet<Target> {
        let mut targets = BTreeSet::new();
        let child = [at, std::slice::from_ref(name)].concat();
        if self.0.contains_key(&child) {
            targets.insert(Target::Module(child));
        }
        let Some(module) = self.0.get(at) else {
            return targets;
        };
        if module.items.contains(name) {
            targets.insert(Target::Item(at.to_vec()));
        }
        for (_, path) in module.imports.iter().filter(|(known, _)| known == name) {
            targets.extend(self.resolve(at, path, depth + 1));
        }
        if targets.is_empty() {
            for glob in &module.globs {
                let path = [&glob[..], std::slice::from_ref(name)].concat();
                targets.extend(self.resolve(at, &path, depth + 1));
            }
        }
        targets
    }
}

/// Returns the module that a path leads to if it makes an arrow.
fn leads_to(at: &[String], place: Place, target: Target) -> Option<Vec<String>> {
    let is_module = matches!(target, Target::Module(_));
    let (Target::Module(to) | Target::Item(to)) = target;
    match place {
        Place::Import => Some(to),
        Place::Export => (!to.starts_with(at)).then_some(to),
        // A variable with the name of a module.
        Place::Code => (!is_module).then_some(to),
    }
}

/// Reads a file into its modules.
struct Reader<'a> {
    sources: &'a mut Sources,
    file: &'a str,
    module: Vec<String>,
}

impl Reader<'_> {
    /// Enters the current module into the table.
    fn open(&mut self) {
        let file = self.file.to_owned();
        self.here().file = file;
    }

    fn here(&mut self) -> &mut Module {
        self.sources.0.entry(self.module.clone()).or_default()
    }

    /// Notes a path in the code of the current module.
    fn name(&mut self, path: &Path) {
        let names = path.segments.iter().map(|part| part.ident.to_string());
        let named = Named {
            path: names.collect(),
            place: Place::Code,
        };
        self.here().paths.push(named);
    }

    fn read_use(&mut self, tree: &UseTree, mut path: Vec<String>, place: Place) {
        let mut import = |path: Vec<String>, name: String| {
            self.here().imports.push((name, path.clone()));
            self.here().paths.push(Named { path, place });
        };
        match tree {
            UseTree::Path(tree) => {
                path.push(tree.ident.to_string());
                self.read_use(&tree.tree, path, place);
            }
            UseTree::Name(tree) if tree.ident == "self" => {
                let name = path.last().cloned().unwrap_or_default();
                import(path, name);
            }
            UseTree::Name(tree) => {
                path.push(tree.ident.to_string());
                import(path, tree.ident.to_string());
            }
            UseTree::Rename(tree) => {
                path.push(tree.ident.to_string());
                import(path, tree.rename.to_string());
            }
            UseTree::Glob(_) => {
                self.here().globs.push(path.clone());
                self.here().paths.push(Named { path, place });
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.read_use(tree, path.clone(), place);
                }
            }
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, name) = match item {
            Item::Const(item) => (&item.attrs, Some(&item.ident)),
            Item::Enum(item) => (&item.attrs, Some(&item.ident)),
            Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
            Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
            Item::Static(item) => (&item.attrs, Some(&item.ident)),
            Item::Struct(item) => (&item.attrs, Some(&item.ident)),
            Item::Trait(item) => (&item.attrs, Some(&item.ident)),
            Item::Type(item) => (&item.attrs, Some(&item.ident)),
            Item::Impl(item) => (&item.attrs, None),
            Item::Mod(item) => (&item.attrs, None),
            Item::Use(item) => (&item.attrs, None),
            _ => return,
        };
        if !is_for_tests(attributes) {
            if let Some(name) = name {
                self.here().items.insert(name.to_string());
            }
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        if !matches!(item, ImplItem::Fn(method) if is_for_tests(&method.attrs)) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.content.is_some() {
            self.module.push(item.ident.to_string());
            self.open();
            visit::visit_item_mod(self, item);
            self.module.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let place = match item.vis {
            Visibility::Inherited => Place::Import,
            _ => Place::Export,
        };
        self.read_use(&item.tree, Vec::new(), place);
    }

    fn visit_path(&mut self, path: &'ast Path) {
        self.name(path);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        let mut paths = Vec::new();
        let read = |input: ParseStream| read_paths(input, &mut paths);
        if let Err(error) = call.parse_body_with(read) {
            panic!("{}: {error}", self.file);
        }
        for path in &paths {
            self.name(path);
        }
    }

    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

/// Collects whatever looks like a path among the tokens of a macro call.
fn read_paths(input: ParseStream, paths: &mut Vec<Path>) -> syn::Result<()> {
    while !input.is_empty() {
        let inner;
        if input.peek(token::Paren) {
            syn::parenthesized!(inner in input);
            read_paths(&inner, paths)?;
        } else if input.peek(token::Bracket) {
            syn::bracketed!(inner in input);
            read_paths(&inner, paths)?;
        } else if input.peek(token::Brace) {
            syn::braced!(inner in input);
            read_paths(&inner, paths)?;
        } else if let Ok(path) = input.fork().call(Path::parse_mod_style) {
            input.call(Path::parse_mod_style)?;
            paths.push(path);
        } else {
            input.step(|cursor| match cursor.token_tree() {
                Some((_, rest)) => Ok(((), rest)),
                None => Err(cursor.error("no token")),
            })?;
        }
    }
    Ok(())
}

/// True if there is a `#[cfg(test)]`.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let condition = attribute.parse_args::<syn::Ident>();
        attribute.path().is_ident("cfg") && condition.is_ok_and(|condition| condition == "test")
    })
}
