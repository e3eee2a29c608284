// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// Announcements of peers: sealed bytes under keys that only those can tell who know the network.
///
/// Nobody owns it, nothing in it can be changed by anybody but its writer, and it takes no money. `announce` leaves an event, the cheap
/// way, read by `eth_getLogs`; `set` also keeps the bytes in the writer's own slot, read by `eth_call`.
contract Bitboot {
    /// A value that somebody wrote.
    event Announced(bytes32 indexed key, address indexed writer, bytes value);

    /// A value has 1 to 1024 bytes.
    error Size(uint256 length);

    uint256 private constant MOST = 1024;

    struct Board {
        /// Who wrote last.
        address last;
        uint96 count;
        /// In the order of their first value.
        mapping(uint256 => address) writers;
        mapping(address => bytes) values;
    }

    mapping(bytes32 => Board) private boards;

    /// Tells a value to those who read events.
    function announce(bytes32 key, bytes calldata value) external {
        check(value);
        emit Announced(key, msg.sender, value);
    }

    /// Keeps a value in the slot of its writer, in the place of the one before, and tells it too.
    function set(bytes32 key, bytes calldata value) external {
        check(value);
        Board storage board = boards[key];
        if (board.values[msg.sender].length == 0) {
            board.writers[board.count] = msg.sender;
            board.count += 1;
        }
        if (board.last != msg.sender) {
            board.last = msg.sender;
        }
        board.values[msg.sender] = value;
        emit Announced(key, msg.sender, value);
    }

    /// The value that was kept last, whoever wrote it; nothing where there is none.
    function get(bytes32 key) external view returns (bytes memory) {
        Board storage board = boards[key];
        return board.values[board.last];
    }

    /// The value in the slot of one writer.
    function get(bytes32 key, address writer) external view returns (bytes memory) {
        return boards[key].values[writer];
    }

    /// How many writers there are, and the slots of some: at most `most` of them, those that came last before the one with the number
    /// `before` first.
    function slots(bytes32 key, uint256 before, uint256 most)
        external
        view
        returns (uint256 count, address[] memory writers, bytes[] memory values)
    {
        Board storage board = boards[key];
        count = board.count;
        if (before > count) before = count;
        if (most > before) most = before;
        writers = new address[](most);
        values = new bytes[](most);
        for (uint256 i = 0; i < most; i++) {
            writers[i] = board.writers[before - 1 - i];
            values[i] = board.values[writers[i]];
        }
    }

    function check(bytes calldata value) private pure {
        if (value.length == 0 || value.length > MOST) revert Size(value.length);
    }
}
