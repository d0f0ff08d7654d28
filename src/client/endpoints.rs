//! The addresses of a host name, and which of them is dialed.

use crate::driver::Endpoint;

/// At most this many addresses of a host name are tried.
pub(crate) const ENDPOINTS_MAX: usize = 16;

/// One address is used as long as it works. When it fails the next is tried, and when all have
/// failed one after the other, the server has.
#[derive(Debug)]
pub(super) struct Endpoints {
    all: Vec<Endpoint>,
    current: u8,
    /// Addresses that have failed since one has worked.
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

    /// The number of the address that is dialed next.
    pub(super) fn current(&self) -> u8 {
        self.current
    }

    pub(super) fn get(&self, number: u8) -> &Endpoint {
        &self.all[usize::from(number)]
    }

    /// A connection exists.
    pub(super) fn on_success(&mut self) {
        self.failed = 0;
    }

    /// A connect to address `number` has failed. Returns true if dialing again is worth it at once:
    /// there is another address, or another one is current already.
    pub(super) fn on_failure(&mut self, number: u8) -> bool {
        if number != self.current {
            return true;
        }
        self.failed += 1;
        if self.failed == self.all.len() {
            self.failed = 0;
            return false;
        }
        self.advance();
        true
    }

    /// The server at address `number` does not take commands any more: another one may.
    pub(super) fn on_refusal(&mut self, number: u8) {
        if number == self.current {
            self.advance();
        }
    }

    fn advance(&mut self) {
        let is_last = usize::from(self.current) + 1 == self.all.len();
        self.current = if is_last { 0 } else { self.current + 1 };
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
    fn each_address_is_tried_once_in_turn() {
        let mut endpoints = three();
        for next in [1, 2] {
            assert!(endpoints.on_failure(endpoints.current()));
            assert_eq!(endpoints.current(), next);
        }
        assert!(!endpoints.on_failure(2), "all have failed");
        assert!(endpoints.on_failure(2), "and each gets another chance");
        assert_eq!(endpoints.current(), 0);
    }

    #[test]
    fn address_that_works_is_kept() {
        let mut endpoints = three();
        assert!(endpoints.on_failure(0) && endpoints.on_failure(1));
        endpoints.on_success();
        assert_eq!(endpoints.current(), 2);
        assert!(endpoints.on_failure(2), "two others are left to be tried");
    }

    #[test]
    fn many_dials_to_one_failing_address_are_one_failure() {
        let mut endpoints = three();
        for _ in 0..100 {
            assert!(endpoints.on_failure(0));
        }
        assert_eq!(endpoints.current(), 1);
    }

    #[test]
    fn refusals_of_one_server_advance_once() {
        let mut endpoints = three();
        for _ in 0..100 {
            endpoints.on_refusal(0);
        }
        assert_eq!(endpoints.current(), 1);
    }
}
