"""Derivatives in a frame are those of the sphere, whatever the frame."""

import numpy as np
import pytest

from xinr.geo.frames import (
    EARTH_RADIUS,
    FRAMES,
    PLANE_RADIUS,
    SECONDS_PER_DAY,
    Degrees,
    Plane,
    Sphere,
    days_since,
    frame_around,
)

EPOCH = np.datetime64("2020-01-01", "ns")
R = 1e3 * EARTH_RADIUS  # [m]
# Away from the poles, across the dateline, and two degrees from a pole.
POSITIONS = [(12.0, 35.0), (-75.0, -50.0), (180.0, 5.0), (179.99999, -30.0), (40.0, 88.0)]

# Real spherical harmonics (degree, function of the unit vector), unnormalised; any extension off the sphere will do.
HARMONICS = [
    (1, lambda x, y, z: x + 0.5 * z),
    (2, lambda x, y, z: x * y),
    (3, lambda x, y, z: z * (5 * z**2 - 3)),
    (4, lambda x, y, z: x * y * (7 * z**2 - 1)),
]


def unit_vector(lon, lat):
    lon, lat = np.radians(lon), np.radians(lat)
    return np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)


STEP = {"sphere": 60.0, "degrees": 0.1, "plane": 60.0}


def frame_near(kind, position):
    """A frame of that kind; the plane touches the sphere some 900 km off, so that it is bent there."""
    if kind == "plane":
        return Plane(EPOCH, position[0] + 3.0, position[1] - 8.0)
    return FRAMES[kind](EPOCH, position[0])


def in_frame(frame, function):
    """The function of the unit vector as one of the frame's coordinates."""
    if isinstance(frame, Sphere):
        return lambda p: function(*(np.moveaxis(p, -1, 0)[:3] / EARTH_RADIUS))
    if isinstance(frame, Plane):
        return lambda p: function(*unit_vector(*frame.unproject(p[..., 0], p[..., 1])))
    return lambda p: function(*unit_vector(p[..., 0], p[..., 1]))


def derivatives(function, p, step):
    """Gradient (d,) and Hessian (d, d) at one point, by fourth-order central differences."""
    eye = step * np.eye(len(p))

    def slope(u, axis):
        return lambda q: (
            (8 * (u(q + eye[axis]) - u(q - eye[axis])) - u(q + 2 * eye[axis]) + u(q - 2 * eye[axis])) / (12 * step)
        )

    axes = range(len(p))
    return (
        np.array([slope(function, a)(p) for a in axes]),
        np.array([[slope(slope(function, a), b)(p) for b in axes] for a in axes]),
    )


@pytest.mark.parametrize("kind", sorted(FRAMES))
@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize(("degree", "harmonic"), HARMONICS)
def test_spherical_harmonics_are_eigenfunctions_of_the_laplacian(kind, position, degree, harmonic):
    lon, lat = (np.array([angle]) for angle in position)
    time = np.array([EPOCH])
    frame = frame_near(kind, position)
    x = frame.project(lon, lat, time)[0]
    function = in_frame(frame, harmonic)
    gradient, hessian = derivatives(function, x, STEP[kind])
    east, north = frame.east(lon, lat)[0], frame.north(lon, lat)[0]
    bend = frame.metric_terms(lon, lat)[[0, 2], 0].sum(axis=0)
    laplacian = east @ hessian @ east + north @ hessian @ north + bend @ gradient
    assert laplacian * R**2 == pytest.approx(-degree * (degree + 1) * function(x), abs=2e-4)


@pytest.mark.parametrize("kind", sorted(FRAMES))
@pytest.mark.parametrize("position", POSITIONS)
def test_gradient_is_the_slope_on_the_sphere(kind, position):
    lon, lat = (np.array([angle]) for angle in position)
    frame = frame_near(kind, position)
    x = frame.project(lon, lat, np.array([EPOCH]))[0]
    gradient, _ = derivatives(in_frame(frame, lambda x, y, z: x * z + y), x, STEP[kind])
    a, b = np.radians(position)
    u_a = -np.cos(b) * np.sin(a) * np.sin(b) + np.cos(b) * np.cos(a)  # du/dlongitude of the same function
    u_b = np.cos(2 * b) * np.cos(a) - np.sin(b) * np.sin(a)
    assert gradient @ frame.east(lon, lat)[0] * R == pytest.approx(u_a / np.cos(b), abs=1e-6)
    assert gradient @ frame.north(lon, lat)[0] * R == pytest.approx(u_b, abs=1e-6)


def test_sphere_has_no_seam_and_counts_kilometres():
    frame = FRAMES["sphere"](EPOCH, 0.0)
    lon, lat = np.array([180.0, -180.0, 179.0]), np.array([60.0, 60.0, 60.0])
    x = frame.project(lon, lat, np.full(3, EPOCH))
    np.testing.assert_allclose(x[0], x[1], atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(x[:, :3], axis=1), EARTH_RADIUS)
    assert np.linalg.norm(x[2] - x[0]) == pytest.approx(EARTH_RADIUS * np.pi / 360.0, rel=1e-4)  # cos 60 = 1/2


def test_degrees_are_continuous_across_the_dateline_of_a_domain_there():
    time = np.full(2, EPOCH)
    frame = frame_around("degrees", np.array([175.0, -175.0]), np.zeros(2), time)
    x = frame.project(np.array([179.9, -179.9]), np.zeros(2), time)
    assert x[1, 0] - x[0, 0] == pytest.approx(0.2)


@pytest.mark.parametrize("kind", sorted(FRAMES))
def test_time_counts_days_from_midnight_before_the_data(kind):
    time = np.array(["2020-03-01T06:00", "2020-03-03T12:00", "NaT"], "datetime64[ns]")
    frame = frame_around(kind, np.array([0.0, 1.0]), np.zeros(2), time[:2])
    assert frame.epoch == np.datetime64("2020-03-01")
    np.testing.assert_array_equal(frame.project(np.zeros(3), np.zeros(3), time)[:, -1], [0.25, 2.5, np.nan])
    assert days_since(np.array(["2020-03-01T00:00:01"], "datetime64[s]"), frame.epoch)[0] == 1 / SECONDS_PER_DAY


def test_unknown_frame_is_refused():
    with pytest.raises(ValueError, match=r"unknown frame 'cube': expected one of \['degrees', 'plane', 'sphere'\]"):
        frame_around("cube", np.zeros(1), np.zeros(1), np.array([EPOCH]))


def test_plane_returns_to_the_sphere_and_keeps_lengths_within_one_percent():
    frame = Plane(EPOCH, 181.0, 45.0)
    lon, lat = np.array([181.0, 179.0, -165.0, 195.0]), np.array([45.0, 60.5, 44.0, 30.0])
    x = frame.project(lon, lat, np.full(4, EPOCH))
    np.testing.assert_allclose(x[0], 0.0, atol=1e-9)
    back = frame.unproject(x[:, 0], x[:, 1])
    np.testing.assert_allclose(back, [lon % 360.0, lat], atol=1e-9)
    edge = frame.unproject(np.array([0.0, 0.0]), np.array([PLANE_RADIUS, -PLANE_RADIUS]))
    for vectors in (frame.east(*edge), frame.north(*edge)):
        np.testing.assert_allclose(1e3 * np.linalg.norm(vectors, axis=1), 1.0, atol=0.0105)
    areas = 1e6 * np.linalg.det(np.stack([frame.east(*edge), frame.north(*edge)], axis=1)[:, :, :2])
    np.testing.assert_allclose(areas, 1.0, atol=1e-12)


def test_plane_refuses_data_too_wide_for_it():
    time = np.full(2, EPOCH)
    with pytest.raises(
        ValueError, match=r'reach 2\d{3} km from their centre .* Take a smaller region, .* or tiles, .*="tiled"\)'
    ):
        frame_around("plane", np.array([0.0, 50.0]), np.array([30.0, 40.0]), time)
    other_side = Plane(EPOCH, 0.0, 0.0).project(np.array([120.0]), np.zeros(1), time[:1])
    assert np.isnan(other_side[0, :2]).all()


def test_no_direction_is_east_at_a_pole():
    frame = Degrees(np.datetime64("2020-01-01", "ns"), 0.0)
    east = frame.east(np.array([0.0, 0.0]), np.array([90.0, 89.0]))
    assert np.isnan(east[0, 0]) and np.isfinite(east[1, 0])
