//! `locations`.

/// English, Chinese.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    ("Where followers were last, as their phones told", "粉丝最后的位置，由其手机上报"),
    ("List who was last within a radius of a place, nearest first", "列出最后位置在某地一定半径内的用户，最近的在前"),
    (
        "A position is known from LOCATION events and kept for two months (WXOPS_LOCATION_KEEP). Redis answers where REDIS_URL is set and it is well, else the database: the same people.",
        "位置来自 LOCATION 事件，保留两个月（WXOPS_LOCATION_KEEP）。设置了 REDIS_URL 且 Redis 正常时由 Redis 应答，否则由数据库应答：结果相同。",
    ),
    ("The place in degrees: latitude first, then longitude", "位置（度）：纬度在前，经度在后"),
    ("How far away at the most: 500m, 2km; 500km at the most", "半径：500m、2km；最大 500km"),
    ("At most so many people of an account", "每个账号最多多少人"),
];
