//! How two sides of a comparison must stand to each other: what `=`, `!=`, `<` and their kin mean in any language.

use std::cmp::Ordering;

/// A relation by order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Neither is greater.
    Equal,
    /// One is greater, or they cannot be compared.
    NotEqual,
    /// The left side is less.
    Less,
    /// The left side is not greater.
    LessOrEqual,
    /// The left side is greater.
    Greater,
    /// The left side is not less.
    GreaterOrEqual,
}

impl Relation {
    /// Whether sides in this order stand in the relation. `None` is the order of what cannot be compared, such as `NaN`.
    pub fn holds(self, order: impl Into<Option<Ordering>>) -> bool {
        let Some(order) = order.into() else { return self == Self::NotEqual };
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_hold_as_the_operators_of_numbers_do() {
        for (left, right) in [(1.0, 2.0), (2.0, 2.0), (3.0, 2.0), (f64::NAN, 2.0), (f64::NAN, f64::NAN)] {
            let order = left.partial_cmp(&right);
            assert_eq!(Relation::Equal.holds(order), left == right);
            assert_eq!(Relation::NotEqual.holds(order), left != right);
            assert_eq!(Relation::Less.holds(order), left < right);
            assert_eq!(Relation::LessOrEqual.holds(order), left <= right);
            assert_eq!(Relation::Greater.holds(order), left > right);
            assert_eq!(Relation::GreaterOrEqual.holds(order), left >= right);
        }
    }
}
