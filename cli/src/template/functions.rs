//! CloudFormation's functions, as far as IAM documents have them (CloudFormation Template Reference, "Intrinsic
//! functions"). What only a deployed stack knows stays as it is named: `${CopierQueue.Arn}`.

use anyhow::Context as _;
use serde_json::{Map, Value};

use super::read::{PSEUDO_PARAMETERS, Template};

impl Template {
    /// A value without functions; `None` for `AWS::NoValue`, which leaves no member and no element behind.
    ///
    /// # Errors
    /// When a function is not one of those that are evaluated, or cannot be.
    pub(crate) fn evaluated(&self, value: &Value) -> anyhow::Result<Option<Value>> {
        Ok(match value {
            Value::Array(values) => {
                Some(values.iter().filter_map(|each| self.evaluated(each).transpose()).collect::<Result<_, _>>()?)
            }
            Value::Object(members) => match function_of(members)? {
                Some((name, argument)) => self.call(name, argument).with_context(|| name.to_owned())?,
                None => {
                    let mut evaluated = Map::new();
                    for (name, each) in members {
                        if let Some(each) = self.evaluated(each)? {
                            evaluated.insert(name.clone(), each);
                        }
                    }
                    Some(evaluated.into())
                }
            },
            scalar => Some(scalar.clone()),
        })
    }

    fn call(&self, name: &str, argument: &Value) -> anyhow::Result<Option<Value>> {
        Ok(Some(match name {
            "Ref" => return self.reference(argument.as_str().context("it takes a name")?),
            "Fn::If" => {
                let [condition, yes, no] = several(argument).context("it takes a condition's name and two values")?;
                let holds = self.condition(condition.as_str().context("it takes a condition's name")?)?;
                return self.evaluated(if holds { yes } else { no });
            }
            "Fn::GetAtt" => self.attribute(argument)?.into(),
            "Fn::Sub" => self.substituted(argument)?.into(),
            "Fn::Join" => {
                let [separator, parts] = several(argument).context("it takes a separator and a list")?;
                let parts: Vec<String> = self.list(parts)?.iter().map(text).collect::<Result<_, _>>()?;
                parts.join(&text(separator)?).into()
            }
            "Fn::Split" => {
                let [separator, whole] = several(argument).context("it takes a separator and a text")?;
                let (separator, whole) = (text(separator)?, self.text(whole)?);
                anyhow::ensure!(!separator.is_empty(), "its separator is empty");
                whole.split(&separator).collect()
            }
            "Fn::Select" => {
                let [index, values] = several(argument).context("it takes an index and a list")?;
                let (index, values) = (self.text(index)?, self.list(values)?);
                let found = index.parse().ok().and_then(|index: usize| values.get(index).cloned());
                found.with_context(|| format!("there is no element {index} of {}", values.len()))?
            }
            _ => {
                anyhow::bail!("only Ref, Fn::GetAtt, Fn::If, Fn::Join, Fn::Select, Fn::Split and Fn::Sub are evaluated")
            }
        }))
    }

    fn reference(&self, name: &str) -> anyhow::Result<Option<Value>> {
        if name == "AWS::NoValue" {
            return Ok(None);
        }
        let given = self.given.get(name).cloned();
        Ok(Some(match self.parameters.get(name) {
            Some(declared) => {
                let member = |name| declared.get(name).and_then(Value::as_str).map(str::to_owned);
                let value = given.or_else(|| member("Default")).with_context(|| format!("{name} has no value"))?;
                let is_list =
                    member("Type").is_some_and(|kind| kind == "CommaDelimitedList" || kind.starts_with("List<"));
                if is_list { value.split(',').map(str::trim).collect() } else { value.into() }
            }
            None => match given {
                Some(value) => value.into(),
                None if PSEUDO_PARAMETERS.contains(&name) || self.resources.contains_key(name) => {
                    format!("${{{name}}}").into()
                }
                None => anyhow::bail!("there is no {name}"),
            },
        }))
    }

    fn attribute(&self, argument: &Value) -> anyhow::Result<String> {
        let (resource, attribute) = match argument {
            Value::String(both) => both.split_once('.').map(|(resource, name)| (resource.to_owned(), name.to_owned())),
            Value::Array(_) => {
                several(argument).map(|[resource, name]| anyhow::Ok((text(resource)?, self.text(name)?))).transpose()?
            }
            _ => None,
        }
        .context("it takes a resource's name and an attribute's")?;
        anyhow::ensure!(self.resources.contains_key(&resource), "there is no resource {resource}");
        Ok(format!("${{{resource}.{attribute}}}"))
    }

    fn substituted(&self, argument: &Value) -> anyhow::Result<String> {
        let none = Map::new();
        let (written, variables) = match argument {
            Value::String(written) => Some((written.as_str(), &none)),
            _ => several(argument).and_then(|[written, variables]| written.as_str().zip(variables.as_object())),
        }
        .context("it takes a text, or a text and an object")?;
        let mut parts = written.split("${");
        let mut found = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').context("it has ${ without }")?;
            let value = match (name.strip_prefix('!'), variables.get(name)) {
                (Some(literal), _) => format!("${{{literal}}}"),
                (None, Some(value)) => self.text(value)?,
                (None, None) if name.contains('.') => self.attribute(&name.into())?,
                (None, None) => text(&self.reference(name)?.context("AWS::NoValue is no text")?)?,
            };
            found.push_str(&value);
            found.push_str(rest);
        }
        Ok(found)
    }

    /// A value that has to be text.
    pub(super) fn text(&self, value: &Value) -> anyhow::Result<String> {
        text(&self.evaluated(value)?.context("AWS::NoValue is no text")?)
    }

    /// A value that has to be a list.
    pub(crate) fn list(&self, value: &Value) -> anyhow::Result<Vec<Value>> {
        match self.evaluated(value)? {
            Some(Value::Array(values)) => Ok(values),
            other => anyhow::bail!("{} is no list", other.unwrap_or_default()),
        }
    }
}

/// The function that an object stands for.
fn function_of(members: &Map<String, Value>) -> anyhow::Result<Option<(&str, &Value)>> {
    let found = members.iter().find(|(name, _)| *name == "Ref" || name.starts_with("Fn::"));
    let Some((name, argument)) = found else { return Ok(None) };
    anyhow::ensure!(members.len() == 1, "{name} stands beside other members");
    Ok(Some((name, argument)))
}

fn several<const N: usize>(argument: &Value) -> Option<&[Value; N]> {
    argument.as_array()?.as_slice().try_into().ok()
}

fn text(value: &Value) -> anyhow::Result<String> {
    value.as_str().map(str::to_owned).with_context(|| format!("{value} is no text"))
}
