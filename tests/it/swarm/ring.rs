//! Tasks that pass tokens to one another, and to themselves, by notify: one that is lost stops the game.

use super::Verdict;
use super::world::World;
use greenroom::sim::Random;
use greenroom::{TaskId, Wait, Wake};
use std::cell::RefCell;
use std::rc::Rc;

/// How often a token is passed on.
const PASSES: u32 = 300;

struct Game {
    players: Vec<TaskId>,
    /// How many tokens lie before each.
    tokens: Vec<u32>,
    passed: u32,
    random: Random,
}

pub fn scenario(world: &mut World) -> Verdict {
    let players = 1 + world.random.index(6);
    let game = Rc::new(RefCell::new(Game {
        players: Vec::new(),
        tokens: vec![1; players],
        passed: 0,
        random: world.random.clone(),
    }));
    for number in 0..players {
        let game_too = Rc::clone(&game);
        let player = world.hub.spawn(move |hub, wake| {
            if let Wake::Killed = wake {
                return Ok(Wait::done());
            }
            let mut game = game_too.borrow_mut();
            for _ in 0..std::mem::take(&mut game.tokens[number]) {
                let next = game.random.index(players);
                game.tokens[next] += 1;
                game.passed += 1;
                hub.notify(game.players[next]);
            }
            match game.passed < PASSES {
                true => Ok(Wait::notified()),
                false => Ok(Wait::done()),
            }
        });
        game.borrow_mut().players.push(player);
    }
    for _ in 0..PASSES {
        world.sleep(greenroom::ms(1));
    }
    let passed = game.borrow().passed;
    match passed >= PASSES {
        true => Ok(()),
        false => Err(format!(
            "a token was passed {passed} times, and then no more"
        )),
    }
}
