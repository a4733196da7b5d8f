//! Address ranges.
use super::{Answer, MAX_ELEMENTS, Stop, elements, text};
use ipnet::IpNet;
use regorus::Value;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Go's `net.ParseCIDR`: host bits are dropped.
fn network(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().ok().map(|network| network.trunc())
}

fn parsed(value: &Value) -> Result<IpNet, Stop> {
    network(text(value)?).ok_or(Stop::Undefined)
}

pub(super) fn is_valid(args: &[Value]) -> Answer {
    Ok(Value::Bool(text(&args[0]).is_ok_and(|text| network(text).is_some())))
}

/// Whether the range holds an address or another range.
pub(super) fn contains(args: &[Value]) -> Answer {
    holds(&args[0], &args[1]).map(Value::Bool)
}

fn holds(range: &Value, other: &Value) -> Result<bool, Stop> {
    let range = parsed(range)?;
    if let Ok(address) = text(other)?.parse::<IpAddr>() {
        return Ok(range.contains(&address.to_canonical()) || range.contains(&address));
    }
    Ok(range.contains(&parsed(other)?))
}

pub(super) fn intersects(args: &[Value]) -> Answer {
    let (left, right) = (parsed(&args[0])?, parsed(&args[1])?);
    Ok(Value::Bool(left.contains(&right.network()) || right.contains(&left.network())))
}

pub(super) fn expand(args: &[Value]) -> Answer {
    let range = parsed(&args[0])?;
    let bits = u32::from(range.max_prefix_len() - range.prefix_len());
    if bits > 20 {
        return Err(Stop::Limit("a collection over 1,048,576 elements"));
    }
    let first = range.network();
    let address = |offset: u32| match first {
        IpAddr::V4(first) => IpAddr::from((u32::from(first) + offset).to_be_bytes()),
        IpAddr::V6(first) => IpAddr::from((u128::from(first) + u128::from(offset)).to_be_bytes()),
    };
    let all = (0..1u32 << bits).map(|offset| Value::from(address(offset).to_string()));
    Ok(Value::from(all.collect::<BTreeSet<_>>()))
}

/// Pairs of indices or keys whose range of the first holds what stands in the second.
pub(super) fn contains_matches(args: &[Value]) -> Answer {
    let (ranges, others) = (indexed(&args[0])?, indexed(&args[1])?);
    if ranges.len().saturating_mul(others.len()) > MAX_ELEMENTS {
        return Err(Stop::Limit("a collection over 1,048,576 elements"));
    }
    let mut found = BTreeSet::new();
    for (range, index) in &ranges {
        for (other, position) in &others {
            if holds(range, other)? {
                found.insert(Value::from(vec![index.clone(), position.clone()]));
            }
        }
    }
    Ok(Value::from(found))
}

/// What a range stands at: an array's by position, a set's by element, an object's by key, a string by itself.
fn indexed(value: &Value) -> Result<Vec<(Value, Value)>, Stop> {
    let first = |value: &Value| match value {
        Value::String(_) => Ok(value.clone()),
        Value::Array(items) => items.iter().next().cloned().ok_or(Stop::Undefined),
        _ => Err(Stop::Undefined),
    };
    match value {
        Value::String(_) => Ok(vec![(value.clone(), value.clone())]),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| Ok((first(item)?, Value::from(index))))
            .collect(),
        Value::Set(items) => items.iter().map(|item| Ok((first(item)?, item.clone()))).collect(),
        Value::Object(pairs) => {
            pairs.iter().map(|(key, item)| Ok((first(item)?, key.clone()))).collect()
        }
        _ => Ok(Vec::new()),
    }
}

/// The fewest ranges that hold the same addresses.
pub(super) fn merge(args: &[Value]) -> Answer {
    let mut ranges = Vec::new();
    for item in elements(&args[0])? {
        let item = text(&item)?.to_owned();
        ranges.push(match item.parse::<IpAddr>() {
            // Go's default mask of an address by its class.
            Ok(IpAddr::V4(address)) => {
                let length = match address.octets()[0] {
                    0..128 => 8,
                    128..192 => 16,
                    192..224 => 24,
                    _ => 32,
                };
                IpNet::new(address.into(), length).map_err(|_| Stop::Undefined)?.trunc()
            }
            Ok(IpAddr::V6(_)) => return Err(Stop::Undefined),
            Err(_) => network(&item).ok_or(Stop::Undefined)?,
        });
    }
    let merged = IpNet::aggregate(&ranges).into_iter().map(|range| Value::from(range.to_string()));
    Ok(Value::from(merged.collect::<BTreeSet<_>>()))
}
