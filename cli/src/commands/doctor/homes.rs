//! Several homes' checks in one report.

use snapferry_core::ids::Region;

use super::check::Check;

/// The checks of all homes: once what is the same in each, with its home what is not. One home's alone name none.
pub(super) fn together(homes: Vec<(Region, Vec<Check>)>) -> Vec<Check> {
    let is_one = homes.len() == 1;
    let is_everywhere = |check: &Check| homes.iter().all(|(_, checks)| checks.contains(check));
    let mut together: Vec<Check> = Vec::new();
    for (home, checks) in &homes {
        for check in checks {
            let named = if is_one || is_everywhere(check) { None } else { Some(home.to_string()) };
            let check = Check { home: named, ..check.clone() };
            if is_one || !together.contains(&check) {
                together.push(check);
            }
        }
    }
    together
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_in_each_home_is_said_once() {
        let region = |region| Region::parse(region).unwrap();
        let key = || Check::pass("key", "eu-west-1", "usable");
        let rule = |message| Check::fail("rule", "Copier", message);
        let homes = vec![
            (region("us-east-1"), vec![key(), rule("disabled"), rule("disabled")]),
            (region("us-east-2"), vec![key(), Check::pass("rule", "Copier", "enabled")]),
        ];
        let told = |checks: &[Check]| -> Vec<_> {
            checks.iter().map(|check| (check.home.clone(), check.message.clone())).collect()
        };
        let of = |home: &str, message: &str| (Some(home.to_owned()), message.to_owned());
        let expected = vec![(None, "usable".to_owned()), of("us-east-1", "disabled"), of("us-east-2", "enabled")];
        assert_eq!(told(&together(homes.clone())), expected);
        let alone = together(homes.into_iter().take(1).collect());
        assert!(alone.len() == 3 && alone.iter().all(|check| check.home.is_none()));
    }
}
