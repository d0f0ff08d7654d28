//! The addresses that a host name stands for, and which of them is dialed.

use crate::driver::Endpoint;

/// So many addresses of a host name are tried.
pub(crate) const ENDPOINTS_MAX: usize = 16;

/// One address is used as long as it works. When it fails the next is tried, and when all have failed one after the other,
/// the server has.
#[derive(Debug)]
pub(super) struct Endpoints {
    all: Vec<Endpoint>,
    current: u8,
    /// How many have failed since one has worked.
    failed: usize,
}

impl Endpoints {
    pub(super) fn new(all: Vec<Endpoint>) -> Endpoints {
        debug_assert!((1..=ENDPOINTS_MAX).contains(&all.len()));
        Endpoints {
            all,
            current: 0,
            failed: 0,
        }
    }

    /// The number of the one that is dialed next.
    pub(super) fn current(&self) -> u8 {
        self.current
    }

    pub(super) fn get(&self, number: u8) -> &Endpoint {
        &self.all[usize::from(number)]
    }

    /// A connection exists.
    pub(super) fn works(&mut self) {
        self.failed = 0;
    }

    /// A connect to address `number` has failed. True if it is worth dialing again: there is another address, or it is
    /// another one's turn already.
    pub(super) fn failed(&mut self, number: u8) -> bool {
        if number != self.current {
            return true;
        }
        self.failed += 1;
        if self.failed == self.all.len() {
            self.failed = 0;
            return false;
        }
        let is_last = usize::from(number) + 1 == self.all.len();
        self.current = if is_last { 0 } else { number + 1 };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Endpoints {
        let at = |port: u16| Endpoint::Tcp(([127, 0, 0, 1], port).into());
        Endpoints::new(vec![at(1), at(2), at(3)])
    }

    #[test]
    fn each_is_tried_once_and_round_about() {
        let mut endpoints = three();
        for next in [1, 2] {
            assert!(endpoints.failed(endpoints.current()));
            assert_eq!(endpoints.current(), next);
        }
        assert!(!endpoints.failed(2), "all have failed");
        assert!(endpoints.failed(2), "and each gets another chance");
        assert_eq!(endpoints.current(), 0);
    }

    #[test]
    fn one_that_works_is_kept() {
        let mut endpoints = three();
        assert!(endpoints.failed(0) && endpoints.failed(1));
        endpoints.works();
        assert_eq!(endpoints.current(), 2);
        assert!(endpoints.failed(2), "two others are left to be tried");
    }

    #[test]
    fn many_dials_to_one_that_fails_are_one_failure() {
        let mut endpoints = three();
        for _ in 0..100 {
            assert!(endpoints.failed(0));
        }
        assert_eq!(endpoints.current(), 1);
    }
}
