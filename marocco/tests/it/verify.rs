//! tmp

use hal::codec::encode_wafer;
use marocco::verify::{Rules, verify};

use crate::networks::{balanced, options};

#[test]
fn a_mapped_network_keeps_all_rules() {
    let network = balanced(200, [40, 10, 20], 10.0, 1);
    let calibration = calib::WaferCalibration::ideal();
    let mapped = marocco::map(&network, &options(Some(4)), &calibration, &mut |_| {}).unwrap();
    let words = encode_wafer(&mapped.config).unwrap();
    let found = verify(&network, &mapped.mapping, &words, &Rules::default()).unwrap();
    for v in found.violations.iter().take(30) {
        println!("{v}");
    }
    println!("{} {}", found.functional, found.violations.len());
    assert!(found.is_ok());
}

#[test]
fn big() {
    let network = balanced(2083, [166, 41, 200], 13.3, 1);
    let calibration = calib::WaferCalibration::ideal();
    let mapped =
        marocco::map(&network, &options(None), &calibration, &mut |_| {}).unwrap();
    let t = std::time::Instant::now();
    let words = encode_wafer(&mapped.config).unwrap();
    println!("encode {:?}", t.elapsed());
    let t = std::time::Instant::now();
    let config = hal::codec::decode_wafer(&words).unwrap();
    println!("decode {:?} {} chips {} words", t.elapsed(), config.hicanns.len(), words.len());
    let t = std::time::Instant::now();
    let found = marocco::verify::verify_config(&network, &mapped.mapping, &config, &Rules::default());
    println!("verify {:?}", t.elapsed());
    for v in found.violations.iter().take(30) {
        println!("{v}");
    }
    println!("{} {}", found.functional, found.violations.len());
    assert!(found.is_ok());
}
