//! Looks a setting up: flag, then environment, then `./.env`, then the TOML file.

use super::dotenv::DotEnv;
use super::file::{Entry, File};
use super::keys::Setting;
use super::private;
use super::secrets;
use super::source::{Layer, Origin, Value};
use super::sources::Sources;
use crate::domain::account::Platform;
use crate::domain::secret::Secret;
use crate::error::{Error, Result, Text};
use crate::say;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Every source, opened.
pub(super) struct Layers<'a> {
    sources: &'a Sources,
    dotenv: Option<DotEnv>,
    pub file: Option<File>,
    /// What named the TOML file.
    pub named: Origin,
    warnings: RefCell<Vec<Text>>,
    secrets: RefCell<Vec<Secret>>,
    secret_files: RefCell<Vec<String>>,
}

/// Where in the sources a setting is looked for.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    /// The account, for keys of `[official.NAME]` and its like.
    pub account: Option<(Platform, &'a str)>,
    /// Whether the variables speak of it too.
    pub variables: bool,
}

/// The keys outside any account.
pub(super) const GLOBAL: Scope<'static> = Scope { account: None, variables: true };

impl<'a> Layers<'a> {
    pub fn open(sources: &'a Sources) -> Result<Self> {
        let files = sources.files();
        let mut layers = Layers {
            sources,
            dotenv: None,
            file: None,
            named: files.named,
            warnings: RefCell::default(),
            secrets: RefCell::default(),
            secret_files: RefCell::default(),
        };
        if let Some(path) = files.dotenv {
            layers.dotenv = Some(DotEnv::parse(&path, &layers.private(&path)?)?);
        }
        if let Some(path) = files.toml {
            layers.file = Some(File::parse(&path, &layers.private(&path)?)?);
        }
        Ok(layers)
    }

    /// What was let pass with a warning; and every secret, those of files where they were asked for.
    pub fn into_warnings_and_secrets(self) -> (Vec<Text>, Vec<Secret>) {
        let of = |setting: &Setting| {
            let named = secrets::in_environment(self.sources, setting).into_iter();
            named.chain(self.written(setting)).collect()
        };
        let mut all = secrets::all(of);
        all.extend(self.file.iter().flat_map(|file| &file.hooks).flat_map(super::hook::secrets));
        // Where somebody wrote the token in the place of its hash.
        all.extend(self.file.iter().flat_map(|file| &file.clients).filter_map(|it| it.text("token_sha256").cloned()));
        all.extend(self.secrets.into_inner().iter().flat_map(secrets::parts));
        (self.warnings.into_inner(), all)
    }

    /// The files of secrets that the TOML file names, as it names them, each once.
    pub fn secret_files(&self) -> Vec<String> {
        self.secret_files.borrow().clone()
    }

    /// The values of a setting as they stand in `./.env` and the TOML file, of whichever account.
    fn written(&self, setting: &Setting) -> Vec<Secret> {
        let dotenv = self.dotenv.iter().filter_map(|dotenv| Some(dotenv.get(setting.env?)?.0.clone()));
        let tables =
            self.file.iter().flat_map(|file| file.accounts.values().map(|table| &table.values).chain([&file.values]));
        let toml = tables.filter_map(|values| Some(values.get(setting.toml?)?.0.clone()));
        dotenv.chain(toml).collect()
    }

    /// `./.env`, where it counts and is there.
    pub fn dotenv(&self) -> Option<&Path> {
        self.dotenv.as_ref().map(|dotenv| dotenv.path.as_path())
    }

    /// The value of the first source that has one; an empty text is none.
    pub fn get(&self, setting: &Setting, scope: Scope<'_>) -> Result<Option<Value>> {
        let found = self.look_up(setting, scope)?;
        if secrets::is_secret(setting) {
            self.secrets.borrow_mut().extend(found.as_ref().map(|value| value.text.clone()));
        }
        Ok(found)
    }

    fn look_up(&self, setting: &Setting, scope: Scope<'_>) -> Result<Option<Value>> {
        if scope.variables
            && let Some(name) = setting.env
            && let Some(value) = self.variable(name, setting.secret)?
        {
            return Ok(Some(value));
        }
        self.in_file(setting, scope.account)
    }

    fn variable(&self, name: &str, secret: bool) -> Result<Option<Value>> {
        if let Some(text) = self.sources.flags.get(name) {
            return one_line(name, Secret::new(text.as_str()), Origin::Flag, Layer::Flag).map(Some);
        }
        let pointer = format!("{name}_FILE");
        if secret {
            if let Some(path) = self.sources.env.get(&pointer) {
                let named = Origin::Env(pointer.clone());
                return self.secret_file(&pointer, (&self.sources.dir, path), named, Layer::Environment).map(Some);
            }
            if let Some(value) = self.credential(name)? {
                return Ok(Some(value));
            }
        }
        if let Some(text) = self.sources.env.get(name) {
            return one_line(name, Secret::new(text), Origin::Env(name.to_owned()), Layer::Environment).map(Some);
        }
        let Some(dotenv) = &self.dotenv else { return Ok(None) };
        if secret && let Some((path, line)) = dotenv.get(&pointer) {
            let named = Origin::DotEnv { path: dotenv.path.clone(), line };
            return self.secret_file(&pointer, (&self.sources.dir, path.reveal()), named, Layer::DotEnv).map(Some);
        }
        let Some((text, line)) = dotenv.get(name) else { return Ok(None) };
        let origin = Origin::DotEnv { path: dotenv.path.clone(), line };
        one_line(name, text.clone(), origin, Layer::DotEnv).map(Some)
    }

    fn in_file(&self, setting: &Setting, account: Option<(Platform, &str)>) -> Result<Option<Value>> {
        let (Some(file), Some(name)) = (&self.file, setting.toml) else { return Ok(None) };
        let (values, prefix): (&BTreeMap<String, Entry>, String) = match account {
            None => (&file.values, String::new()),
            Some((platform, name)) => match file.account(platform, name) {
                Some(table) => (&table.values, format!("{}.{name}.", platform.as_str())),
                None => return Ok(None),
            },
        };
        let pointer = format!("{name}_file");
        if setting.secret
            && let Some((path, line)) = values.get(&pointer).filter(|(path, _)| !path.reveal().is_empty())
        {
            let named = Origin::File { path: file.path.clone(), line: *line };
            let place = (file.path.parent().unwrap_or(Path::new(".")), path.reveal());
            return self.secret_file(&format!("{prefix}{pointer}"), place, named, Layer::File).map(Some);
        }
        let Some((text, line)) = values.get(name).filter(|(text, _)| !text.reveal().is_empty()) else {
            return Ok(None);
        };
        let origin = Origin::File { path: file.path.clone(), line: *line };
        one_line(&format!("{prefix}{name}"), text.clone(), origin, Layer::File).map(Some)
    }

    fn credential(&self, name: &str) -> Result<Option<Value>> {
        let Some(folder) = self.credentials() else { return Ok(None) };
        let path = folder.join(name);
        if !path.exists() {
            return Ok(None);
        }
        let text = private::read_as_is(&path)?;
        from_file(name, &text, Origin::Credential(path), Layer::Environment).map(Some)
    }

    fn secret_file(&self, key: &str, place: (&Path, &str), named: Origin, layer: Layer) -> Result<Value> {
        let path = place.0.join(place.1);
        if !path.exists() && may_be_a_secret(place.1) {
            return Err(nameless(key));
        }
        let text = self.private(&path).map_err(|mut error| {
            let (en, zh) = (&error.what.en, &error.what.zh);
            error.what = say!("{key}: {en}"; "{key}：{zh}");
            error
        })?;
        if layer == Layer::File && !self.secret_files.borrow().iter().any(|known| known == place.1) {
            self.secret_files.borrow_mut().push(place.1.to_owned());
        }
        from_file(key, &text, Origin::SecretFile { path, named: Box::new(named) }, layer)
    }

    /// The secret in a file of its own that a hook names.
    pub fn hook_secret(&self, key: &str, path: &Secret, named: Origin) -> Result<Value> {
        let folder = self.file.as_ref().and_then(|file| file.path.parent()).unwrap_or(Path::new("."));
        let value = self.secret_file(key, (folder, path.reveal()), named, Layer::File)?;
        self.secrets.borrow_mut().push(value.text.clone());
        Ok(value)
    }

    fn credentials(&self) -> Option<PathBuf> {
        self.sources.env.get("CREDENTIALS_DIRECTORY").map(PathBuf::from)
    }

    /// Only what its owner alone can read; what systemd made is taken as it is.
    fn private(&self, path: &Path) -> Result<zeroize::Zeroizing<String>> {
        if self.credentials().is_some_and(|folder| is_in(path, &folder)) {
            return private::read_as_is(path);
        }
        let private = private::read(path, self.sources)?;
        let mut warnings = self.warnings.borrow_mut();
        if let Some(warning) = private.warning
            && !warnings.contains(&warning)
        {
            warnings.push(warning);
        }
        Ok(private.text)
    }
}

/// Whoever writes the secret itself where its file is named must not read it in the error. Only the full path of a file
/// in a folder that is there can't be one.
fn may_be_a_secret(named: &str) -> bool {
    let folder = Path::new(named).parent().filter(|folder| folder.is_absolute() && folder.parent().is_some());
    !folder.is_some_and(Path::exists)
}

fn nameless(key: &str) -> Error {
    let plain = key.strip_suffix("_FILE").or_else(|| key.strip_suffix("_file")).unwrap_or(key);
    Error::config(say!(
        "{key}: there is no such file; its name is not shown, for it may be the secret itself";
        "{key}：没有这个文件；不显示其名称，因为它可能就是密钥本身"
    ))
    .next(
        say!("write the file's full path, or set {plain} to the secret"; "请写明文件的完整路径，或把密钥写入 {plain}"),
    )
}

/// Whether the file is really there, whatever `..` and links its path has.
fn is_in(path: &Path, folder: &Path) -> bool {
    path.canonicalize().is_ok_and(|path| folder.canonicalize().is_ok_and(|folder| path.starts_with(folder)))
}

/// The content of a secret's own file: its closing line break doesn't count, and an empty one is a broken mount.
fn from_file(key: &str, text: &str, origin: Origin, layer: Layer) -> Result<Value> {
    let value = one_line(key, Secret::new(text.trim_end_matches(['\r', '\n'])), origin, layer)?;
    if value.text.reveal().is_empty() {
        return Err(value.error(say!("the file is empty"; "文件为空")));
    }
    Ok(value)
}

/// No setting of ours has a line break or another control character; one comes from a bad paste.
fn one_line(key: &str, text: Secret, origin: Origin, layer: Layer) -> Result<Value> {
    let bad = text.reveal().chars().any(char::is_control);
    let value = Value { key: key.to_owned(), text, origin, layer };
    if bad {
        return Err(value.error(say!("has a line break or another control character in it"; "含有换行或其他控制字符")));
    }
    Ok(value)
}
